/* SPDX-License-Identifier: Apache-2.0 */
#include "event/names.h"

static const struct skep_name family_rows[] = {
    {0, 0, "unspec"},    {1, 0, "unix"},        {2, 0, "inet"},     {3, 0, "ax25"},     {4, 0, "ipx"},
    {5, 0, "appletalk"}, {6, 0, "netrom"},      {7, 0, "bridge"},   {8, 0, "atmpvc"},   {9, 0, "x25"},
    {10, 0, "inet6"},    {11, 0, "rose"},       {12, 0, "decnet"},  {13, 0, "netbeui"}, {14, 0, "security"},
    {15, 0, "key"},      {16, 0, "netlink"},    {17, 0, "packet"},  {18, 0, "ash"},     {19, 0, "econet"},
    {20, 0, "atmsvc"},   {21, 0, "rds"},        {22, 0, "sna"},     {23, 0, "irda"},    {24, 0, "pppox"},
    {25, 0, "wanpipe"},  {26, 0, "llc"},        {27, 0, "ib"},      {28, 0, "mpls"},    {29, 0, "can"},
    {30, 0, "tipc"},     {31, 0, "bluetooth"},  {32, 0, "iucv"},    {33, 0, "rxrpc"},   {34, 0, "isdn"},
    {35, 0, "phonet"},   {36, 0, "ieee802154"}, {37, 0, "caif"},    {38, 0, "alg"},     {39, 0, "nfc"},
    {40, 0, "vsock"},    {41, 0, "kcm"},        {42, 0, "qipcrtr"}, {43, 0, "smc"},     {44, 0, "xdp"},
    {45, 0, "mctp"}};
const struct skep_names skep_names_family = {
    .rows = family_rows, .n = ARRAY_SIZE(family_rows), .unknown = "family#"};

static const struct skep_name socktype_rows[] = {{1, 0, "stream"}, {2, 0, "dgram"},     {3, 0, "raw"},
                                                 {4, 0, "rdm"},    {5, 0, "seqpacket"}, {6, 0, "dccp"},
                                                 {10, 0, "packet"}};
const struct skep_names skep_names_socktype = {
    .rows = socktype_rows, .n = ARRAY_SIZE(socktype_rows), .unknown = "type#", .zero_is_none = true};

/* IPPROTO_ numbers; behind them, for sockets that have none, their family. */
static const struct skep_name proto_rows[] = {{1, 0, "icmp"},
                                              {2, 0, "igmp"},
                                              {4, 0, "ipip"},
                                              {6, 0, "tcp"},
                                              {8, 0, "egp"},
                                              {12, 0, "pup"},
                                              {17, 0, "udp"},
                                              {22, 0, "idp"},
                                              {29, 0, "tp"},
                                              {33, 0, "dccp"},
                                              {41, 0, "ipv6"},
                                              {46, 0, "rsvp"},
                                              {47, 0, "gre"},
                                              {50, 0, "esp"},
                                              {51, 0, "ah"},
                                              {58, 0, "icmp6"},
                                              {92, 0, "mtp"},
                                              {94, 0, "beetph"},
                                              {98, 0, "encap"},
                                              {103, 0, "pim"},
                                              {108, 0, "comp"},
                                              {115, 0, "l2tp"},
                                              {132, 0, "sctp"},
                                              {136, 0, "udplite"},
                                              {137, 0, "ipproto_mpls"},
                                              {143, 0, "ethernet"},
                                              {255, 0, "raw"},
                                              {256, 0, "ipproto_smc"},
                                              {262, 0, "mptcp"},
                                              {SKEP_PROTO_FAMILY + 1, 0, "unix"},
                                              {SKEP_PROTO_FAMILY + 3, 0, "ax25"},
                                              {SKEP_PROTO_FAMILY + 4, 0, "ipx"},
                                              {SKEP_PROTO_FAMILY + 5, 0, "appletalk"},
                                              {SKEP_PROTO_FAMILY + 6, 0, "netrom"},
                                              {SKEP_PROTO_FAMILY + 7, 0, "bridge"},
                                              {SKEP_PROTO_FAMILY + 8, 0, "atmpvc"},
                                              {SKEP_PROTO_FAMILY + 9, 0, "x25"},
                                              {SKEP_PROTO_FAMILY + 11, 0, "rose"},
                                              {SKEP_PROTO_FAMILY + 12, 0, "decnet"},
                                              {SKEP_PROTO_FAMILY + 13, 0, "netbeui"},
                                              {SKEP_PROTO_FAMILY + 14, 0, "security"},
                                              {SKEP_PROTO_FAMILY + 15, 0, "key"},
                                              {SKEP_PROTO_FAMILY + 16, 0, "netlink"},
                                              {SKEP_PROTO_FAMILY + 17, 0, "packet"},
                                              {SKEP_PROTO_FAMILY + 18, 0, "ash"},
                                              {SKEP_PROTO_FAMILY + 19, 0, "econet"},
                                              {SKEP_PROTO_FAMILY + 20, 0, "atmsvc"},
                                              {SKEP_PROTO_FAMILY + 21, 0, "rds"},
                                              {SKEP_PROTO_FAMILY + 22, 0, "sna"},
                                              {SKEP_PROTO_FAMILY + 23, 0, "irda"},
                                              {SKEP_PROTO_FAMILY + 24, 0, "pppox"},
                                              {SKEP_PROTO_FAMILY + 25, 0, "wanpipe"},
                                              {SKEP_PROTO_FAMILY + 26, 0, "llc"},
                                              {SKEP_PROTO_FAMILY + 27, 0, "ib"},
                                              {SKEP_PROTO_FAMILY + 28, 0, "mpls"},
                                              {SKEP_PROTO_FAMILY + 29, 0, "can"},
                                              {SKEP_PROTO_FAMILY + 30, 0, "tipc"},
                                              {SKEP_PROTO_FAMILY + 31, 0, "bluetooth"},
                                              {SKEP_PROTO_FAMILY + 32, 0, "iucv"},
                                              {SKEP_PROTO_FAMILY + 33, 0, "rxrpc"},
                                              {SKEP_PROTO_FAMILY + 34, 0, "isdn"},
                                              {SKEP_PROTO_FAMILY + 35, 0, "phonet"},
                                              {SKEP_PROTO_FAMILY + 36, 0, "ieee802154"},
                                              {SKEP_PROTO_FAMILY + 37, 0, "caif"},
                                              {SKEP_PROTO_FAMILY + 38, 0, "alg"},
                                              {SKEP_PROTO_FAMILY + 39, 0, "nfc"},
                                              {SKEP_PROTO_FAMILY + 40, 0, "vsock"},
                                              {SKEP_PROTO_FAMILY + 41, 0, "kcm"},
                                              {SKEP_PROTO_FAMILY + 42, 0, "qipcrtr"},
                                              {SKEP_PROTO_FAMILY + 43, 0, "smc"},
                                              {SKEP_PROTO_FAMILY + 44, 0, "xdp"},
                                              {SKEP_PROTO_FAMILY + 45, 0, "mctp"}};
const struct skep_names skep_names_proto = {
    .rows = proto_rows, .n = ARRAY_SIZE(proto_rows), .unknown = "proto#", .zero_is_none = true};

static const struct skep_name tcp_action_rows[] = {
    {SKEP_TCP_OPEN, 0, "open"}, {SKEP_TCP_ESTABLISHED, 0, "established"}, {SKEP_TCP_CLOSE, 0, "close"}};
const struct skep_names skep_names_tcp_action = {
    .rows = tcp_action_rows, .n = ARRAY_SIZE(tcp_action_rows), .unknown = "action#", .zero_is_none = true};

static const struct skep_name direction_rows[] = {{SKEP_DIR_OUT, 0, "out"}, {SKEP_DIR_IN, 0, "in"}};
const struct skep_names skep_names_direction = {
    .rows = direction_rows, .n = ARRAY_SIZE(direction_rows), .unknown = "direction#", .zero_is_none = true};

/* RFC 3597 names types that have no name TYPE99. */
static const struct skep_name dns_qtype_rows[] = {
    {1, 0, "A"},           {2, 0, "NS"},      {5, 0, "CNAME"},   {6, 0, "SOA"},       {10, 0, "NULL"},
    {12, 0, "PTR"},        {13, 0, "HINFO"},  {15, 0, "MX"},     {16, 0, "TXT"},      {17, 0, "RP"},
    {18, 0, "AFSDB"},      {24, 0, "SIG"},    {25, 0, "KEY"},    {28, 0, "AAAA"},     {29, 0, "LOC"},
    {33, 0, "SRV"},        {35, 0, "NAPTR"},  {37, 0, "CERT"},   {39, 0, "DNAME"},    {41, 0, "OPT"},
    {42, 0, "APL"},        {43, 0, "DS"},     {44, 0, "SSHFP"},  {45, 0, "IPSECKEY"}, {46, 0, "RRSIG"},
    {47, 0, "NSEC"},       {48, 0, "DNSKEY"}, {49, 0, "DHCID"},  {50, 0, "NSEC3"},    {51, 0, "NSEC3PARAM"},
    {52, 0, "TLSA"},       {53, 0, "SMIMEA"}, {55, 0, "HIP"},    {59, 0, "CDS"},      {60, 0, "CDNSKEY"},
    {61, 0, "OPENPGPKEY"}, {62, 0, "CSYNC"},  {63, 0, "ZONEMD"}, {64, 0, "SVCB"},     {65, 0, "HTTPS"},
    {99, 0, "SPF"},        {108, 0, "EUI48"}, {109, 0, "EUI64"}, {249, 0, "TKEY"},    {250, 0, "TSIG"},
    {251, 0, "IXFR"},      {252, 0, "AXFR"},  {255, 0, "ANY"},   {256, 0, "URI"},     {257, 0, "CAA"}};
const struct skep_names skep_names_dns_qtype = {
    .rows = dns_qtype_rows, .n = ARRAY_SIZE(dns_qtype_rows), .unknown = "TYPE"};

static const struct skep_name dns_rcode_rows[] = {
    {0, 0, "NOERROR"}, {1, 0, "FORMERR"}, {2, 0, "SERVFAIL"}, {3, 0, "NXDOMAIN"},
    {4, 0, "NOTIMP"},  {5, 0, "REFUSED"}, {6, 0, "YXDOMAIN"}, {7, 0, "YXRRSET"},
    {8, 0, "NXRRSET"}, {9, 0, "NOTAUTH"}, {10, 0, "NOTZONE"}, {11, 0, "DSOTYPENI"}};
const struct skep_names skep_names_dns_rcode = {
    .rows = dns_rcode_rows, .n = ARRAY_SIZE(dns_rcode_rows), .unknown = "RCODE"};
