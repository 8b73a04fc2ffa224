// Records one-way delays over a CSMA bus with ns-3: n senders and one sink on the same channel. Arrivals are read from
// a file of lines "sender t_ns payload_bytes", so that another program can carry the same traffic. Each is one UDP payload:
// on the wire 8 bytes (UDP), 20 (IPv4) and 18 (Ethernet header and checksum) more. Senders know the sink's address beforehand
// and do not listen: that changes no delay, and makes 10,000 of them bearable.
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
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

int
main(int argc, char** argv)
{
    uint32_t n = 100, queue = 100000, run = 1;
    std::string rate = "1Mbps", delay = "6560ns", in = "arrivals.txt", out = "delays.csv";
    CommandLine command;
    command.AddValue("n", "senders", n);
    command.AddValue("Q", "packets that a sender's queue holds", queue);
    command.AddValue("R", "rate of the bus", rate);
    command.AddValue("D", "delay of the bus", delay);
    command.AddValue("run", "of the random numbers", run);
    command.AddValue("in", "arrivals", in);
    command.AddValue("out", "delays", out);
    command.Parse(argc, argv);
    RngSeedManager::SetRun(run);
    g_out = fopen(out.c_str(), "w");
    fprintf(g_out, "row,delay_ns\n");

    NodeContainer nodes;
    nodes.Create(n + 1);
    InternetStackHelper internet;
    internet.SetIpv6StackInstall(false);
    internet.Install(nodes);
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue(rate));
    csma.SetChannelAttribute("Delay", StringValue(delay));
    csma.SetQueue("ns3::DropTailQueue<Packet>", "MaxSize", StringValue(std::to_string(queue) + "p"));
    NetDeviceContainer devices = csma.Install(nodes);
    Ipv4AddressHelper addresses;
    addresses.SetBase("10.0.0.0", "255.255.128.0");
    Ipv4InterfaceContainer interfaces = addresses.Assign(devices);
    TrafficControlHelper traffic;
    traffic.Uninstall(devices);

    for (uint32_t i = 0; i < n; i++)
    {
        Ptr<Ipv4Interface> interface = nodes.Get(i)->GetObject<Ipv4L3Protocol>()->GetInterface(1);
        ArpCache::Entry* known = interface->GetArpCache()->Add(interfaces.GetAddress(n));
        known->SetMacAddress(devices.Get(n)->GetAddress());
        known->MarkPermanent();
        DynamicCast<CsmaNetDevice>(devices.Get(i))->SetReceiveEnable(false);
        Ptr<Socket> socket = Socket::CreateSocket(nodes.Get(i), UdpSocketFactory::GetTypeId());
        socket->Connect(InetSocketAddress(interfaces.GetAddress(n), 9));
        g_socket.push_back(socket);
    }
    Ptr<Socket> sink = Socket::CreateSocket(nodes.Get(n), UdpSocketFactory::GetTypeId());
    sink->Bind(InetSocketAddress(Ipv4Address::GetAny(), 9));
    sink->SetRecvCallback(MakeCallback(&Receive));

    std::ifstream arrivals(in);
    uint32_t sender, size;
    uint64_t sent, row = 0;
    while (arrivals >> sender >> sent >> size)
    {
        Simulator::ScheduleWithContext(sender, NanoSeconds(sent), &SendOne, sender, row++, size);
    }
    auto began = std::chrono::steady_clock::now();
    Simulator::Run();
    printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    fclose(g_out);
    Simulator::Destroy();
}
