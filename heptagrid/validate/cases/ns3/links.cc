// Records one-way delays over point-to-point links with ns-3: n senders, each with a link to a hub, or to a sub-hub for so
// many of them that has a link to the hub; the hub has one to the sink. Arrivals are read from a file of lines "sender t_ns
// payload_bytes". Each is one UDP payload: on the wire 8 bytes (UDP), 20 (IPv4) and 2 (PPP) more. Queues are drop-tail.
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>
using namespace ns3;

static std::vector<Ptr<Socket>> g_socket;
static FILE* g_out;

static void
SendOne(uint32_t sender, uint64_t row, uint32_t size)
{
    uint8_t payload[1500] = {0};
    int64_t now = Simulator::Now().GetNanoSeconds();
    memcpy(payload, &row, 8);
    memcpy(payload + 8, &now, 8);
    g_socket[sender]->Send(payload, size, 0);
}

static void
Receive(Ptr<Socket> socket)
{
    while (Ptr<Packet> packet = socket->Recv())
    {
        uint8_t payload[16];
        uint64_t row;
        int64_t sent;
        packet->CopyData(payload, 16);
        memcpy(&row, payload, 8);
        memcpy(&sent, payload + 8, 8);
        fprintf(g_out, "%lu,%ld\n", row, (long)(Simulator::Now().GetNanoSeconds() - sent));
    }
}

// A kind of link as "rate,delay,packets" says, such as "1Mbps,5ms,10".
static PointToPointHelper
Links(const std::string& text)
{
    size_t first = text.find(','), second = text.find(',', first + 1);
    PointToPointHelper links;
    links.SetDeviceAttribute("DataRate", StringValue(text.substr(0, first)));
    links.SetChannelAttribute("Delay", StringValue(text.substr(first + 1, second - first - 1)));
    links.SetQueue("ns3::DropTailQueue<Packet>", "MaxSize", StringValue(text.substr(second + 1) + "p"));
    return links;
}

static void
RouteByDefault(Ptr<Node> node, Ipv4Address next)
{
    Ipv4StaticRoutingHelper().GetStaticRouting(node->GetObject<Ipv4>())->SetDefaultRoute(next, 1);
}

int
main(int argc, char** argv)
{
    uint32_t n = 100, fan = 0;
    std::string access = "100Mbps,1ms,100000", middle = access, last = "1Mbps,5ms,100000";
    std::string in = "arrivals.txt", out = "delays.csv";
    CommandLine command;
    command.AddValue("n", "senders", n);
    command.AddValue("fan", "senders of a sub-hub; 0 for none", fan);
    command.AddValue("access", "links of senders", access);
    command.AddValue("middle", "links of sub-hubs", middle);
    command.AddValue("last", "the hub's link", last);
    command.AddValue("in", "arrivals", in);
    command.AddValue("out", "delays", out);
    command.Parse(argc, argv);
    g_out = fopen(out.c_str(), "w");
    fprintf(g_out, "row,delay_ns\n");

    NodeContainer hub(1), sink(1), senders(n), subHubs(fan ? (n + fan - 1) / fan : 0);
    InternetStackHelper internet;
    internet.SetIpv6StackInstall(false);
    internet.InstallAll();
    Ipv4AddressHelper addresses;
    TrafficControlHelper traffic;
    auto join = [&](const PointToPointHelper& links, Ptr<Node> near, Ptr<Node> far) {
        NetDeviceContainer devices = PointToPointHelper(links).Install(near, far);
        Ipv4InterfaceContainer interfaces = addresses.Assign(devices);
        traffic.Uninstall(devices);
        addresses.NewNetwork();
        RouteByDefault(near, interfaces.GetAddress(1));
        return interfaces;
    };
    addresses.SetBase("192.168.0.0", "255.255.255.252");
    Ipv4InterfaceContainer ends = join(Links(last), hub.Get(0), sink.Get(0));
    RouteByDefault(sink.Get(0), ends.GetAddress(0));
    addresses.SetBase("172.16.0.0", "255.255.255.252");
    for (uint32_t j = 0; j < subHubs.GetN(); j++)
    {
        join(Links(middle), subHubs.Get(j), hub.Get(0));
    }
    addresses.SetBase("10.0.0.0", "255.255.255.252");
    for (uint32_t i = 0; i < n; i++)
    {
        join(Links(access), senders.Get(i), fan ? subHubs.Get(i / fan) : hub.Get(0));
        Ptr<Socket> socket = Socket::CreateSocket(senders.Get(i), UdpSocketFactory::GetTypeId());
        socket->Connect(InetSocketAddress(ends.GetAddress(1), 9));
        g_socket.push_back(socket);
    }
    Ptr<Socket> socket = Socket::CreateSocket(sink.Get(0), UdpSocketFactory::GetTypeId());
    socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), 9));
    socket->SetRecvCallback(MakeCallback(&Receive));

    std::ifstream arrivals(in);
    uint32_t sender, size;
    uint64_t sent, row = 0;
    while (arrivals >> sender >> sent >> size)
    {
        Simulator::ScheduleWithContext(senders.Get(sender)->GetId(), NanoSeconds(sent), &SendOne, sender, row++, size);
    }
    auto began = std::chrono::steady_clock::now();
    Simulator::Run();
    printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    fclose(g_out);
    Simulator::Destroy();
}
