// Records one-way delays over one channel of IEEE 802.11a at 24 Mbit/s with ns-3: n senders and one sink, the distributed
// coordination function without RTS, in ad-hoc mode, so that there are no beacons. The senders stand in two groups, the even ones
// and the odd ones: all hear the sink and their own group, and not the other. Every attempt has the same window, for where it
// doubles ns-3 3.44 keeps it wide after a frame is given up. Arrivals are read from a file of lines "sender t_ns payload_bytes"; on
// the air each is 36 bytes longer (MAC header 24, LLC 8, checksum 4). The delay of a frame ends where its last bit has come to the sink.
#include "ns3/core-module.h"
#include "ns3/mobility-module.h"
#include "ns3/network-module.h"
#include "ns3/propagation-module.h"
#include "ns3/wifi-module.h"
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
using namespace ns3;

static NetDeviceContainer g_devices;
static FILE* g_out;

static void
SendOne(uint32_t sender, uint64_t row, uint32_t size)
{
    uint8_t payload[2304] = {0};
    int64_t now = Simulator::Now().GetNanoSeconds();
    memcpy(payload, &row, 8);
    memcpy(payload + 8, &now, 8);
    g_devices.Get(1 + sender)->Send(Create<Packet>(payload, size), g_devices.Get(0)->GetAddress(), 0x0800);
}

static bool
Receive(Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t, const Address&)
{
    uint8_t payload[16];
    packet->CopyData(payload, 16);
    uint64_t row;
    int64_t sent;
    memcpy(&row, payload, 8);
    memcpy(&sent, payload + 8, 8);
    fprintf(g_out, "%lu,%ld\n", row, (long)(Simulator::Now().GetNanoSeconds() - sent));
    return true;
}

int
main(int argc, char** argv)
{
    uint32_t n = 10, run = 1, window = 256, retries = 100;
    std::string in = "arrivals.txt", out = "delays.csv";
    CommandLine command;
    command.AddValue("n", "senders", n);
    command.AddValue("retries", "of a frame", retries);
    command.AddValue("window", "slots of every attempt", window);
    command.AddValue("run", "of the random numbers", run);
    command.AddValue("in", "arrivals", in);
    command.AddValue("out", "delays", out);
    command.Parse(argc, argv);
    RngSeedManager::SetRun(run);
    g_out = fopen(out.c_str(), "w");
    fprintf(g_out, "row,delay_ns\n");
    Config::SetDefault("ns3::WifiMac::FrameRetryLimit", UintegerValue(retries + 1));
    Config::SetDefault("ns3::WifiRemoteStationManager::RtsCtsThreshold", UintegerValue(1000000));
    Config::SetDefault("ns3::WifiMacQueue::MaxSize", QueueSizeValue(QueueSize("1000000p")));
    Config::SetDefault("ns3::WifiMacQueue::MaxDelay", TimeValue(Seconds(1e6)));

    NodeContainer nodes(n + 1);
    MobilityHelper mobility;
    mobility.SetMobilityModel("ns3::ConstantPositionMobilityModel");
    mobility.Install(nodes);
    Ptr<MatrixPropagationLossModel> loss = CreateObject<MatrixPropagationLossModel>();
    loss->SetDefaultLoss(50.0);
    for (uint32_t i = 1; i <= n; i++)
    {
        for (uint32_t j = i + 1; j <= n; j += 2)
        {
            loss->SetLoss(nodes.Get(i)->GetObject<MobilityModel>(), nodes.Get(j)->GetObject<MobilityModel>(), 300.0);
        }
    }
    Ptr<YansWifiChannel> channel = CreateObject<YansWifiChannel>();
    channel->SetPropagationLossModel(loss);
    channel->SetPropagationDelayModel(CreateObject<ConstantSpeedPropagationDelayModel>());
    YansWifiPhyHelper phy;
    phy.SetChannel(channel);
    WifiHelper wifi;
    wifi.SetStandard(WIFI_STANDARD_80211a);
    wifi.SetRemoteStationManager("ns3::ConstantRateWifiManager",
                                 "DataMode", StringValue("OfdmRate24Mbps"),
                                 "ControlMode", StringValue("OfdmRate24Mbps"));
    WifiMacHelper mac;
    mac.SetType("ns3::AdhocWifiMac");
    g_devices = wifi.Install(phy, mac, nodes);
    WifiHelper::AssignStreams(g_devices, 0);
    for (uint32_t i = 0; i <= n; i++)
    {
        Ptr<Txop> txop = DynamicCast<WifiNetDevice>(g_devices.Get(i))->GetMac()->GetTxop();
        txop->SetMinCw(window - 1);
        txop->SetMaxCw(window - 1);
    }
    g_devices.Get(0)->SetReceiveCallback(MakeCallback(&Receive));

    std::ifstream arrivals(in);
    uint32_t sender, size;
    uint64_t sent, row = 0;
    while (arrivals >> sender >> sent >> size)
    {
        Simulator::ScheduleWithContext(nodes.Get(1 + sender)->GetId(), NanoSeconds(sent), &SendOne, sender, row++, size);
    }
    auto began = std::chrono::steady_clock::now();
    Simulator::Run();
    printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    fclose(g_out);
    Simulator::Destroy();
}
