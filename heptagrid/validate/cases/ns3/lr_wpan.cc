// Records one-way delays over one channel of IEEE 802.15.4 at 2.4 GHz with ns-3: n senders and one sink, all within reach
// of one another, unslotted CSMA/CA with the standard's defaults, unacknowledged. Arrivals are read from a file of lines
// "sender t_ns payload_bytes"; on the wire each is 17 bytes longer (synchronisation 6, header with short addresses 9, checksum
// 2). ns-3's receiver keeps the first of two equally strong frames; here every frame that another overlaps counts as lost, so
// what is compared is who sends when.
#include "ns3/core-module.h"
#include "ns3/lr-wpan-module.h"
#include "ns3/mobility-module.h"
#include "ns3/network-module.h"
#include "ns3/propagation-module.h"
#include "ns3/spectrum-module.h"
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
using namespace ns3;
using namespace ns3::lrwpan;

static NetDeviceContainer g_devices;
static FILE* g_out;

static void
SendOne(uint32_t sender, uint64_t row, uint32_t size)
{
    uint8_t payload[128] = {0};
    int64_t now = Simulator::Now().GetNanoSeconds();
    memcpy(payload, &row, 8);
    memcpy(payload + 8, &now, 8);
    McpsDataRequestParams params;
    params.m_dstPanId = 0;
    params.m_srcAddrMode = SHORT_ADDR;
    params.m_dstAddrMode = SHORT_ADDR;
    params.m_dstAddr = Mac16Address::ConvertFrom(DynamicCast<LrWpanNetDevice>(g_devices.Get(0))->GetMac()->GetShortAddress());
    params.m_txOptions = TX_OPTION_NONE;
    DynamicCast<LrWpanNetDevice>(g_devices.Get(1 + sender))->GetMac()->McpsDataRequest(params, Create<Packet>(payload, size));
}

// What is on the air: a frame arrives if no other overlaps it.
struct Frame
{
    uint64_t row;
    int64_t sent;
    bool isAlone;
};
static std::map<uint32_t, Frame> g_air;

static void
Begin(uint32_t sender, Ptr<const Packet> packet)
{
    uint8_t payload[16];
    Ptr<Packet> frame = packet->Copy();
    LrWpanMacHeader header;
    frame->RemoveHeader(header);
    frame->CopyData(payload, 16);
    Frame mine;
    memcpy(&mine.row, payload, 8);
    memcpy(&mine.sent, payload + 8, 8);
    mine.isAlone = g_air.empty();
    for (auto& other : g_air)
    {
        other.second.isAlone = false;
    }
    g_air[sender] = mine;
}

static void
End(uint32_t sender, Ptr<const Packet>)
{
    const Frame& mine = g_air[sender];
    if (mine.isAlone)
    {
        fprintf(g_out, "%lu,%ld\n", mine.row, (long)(Simulator::Now().GetNanoSeconds() - mine.sent));
    }
    g_air.erase(sender);
}

int
main(int argc, char** argv)
{
    uint32_t n = 10, run = 1;
    std::string in = "arrivals.txt", out = "delays.csv";
    CommandLine command;
    command.AddValue("n", "senders", n);
    command.AddValue("run", "of the random numbers", run);
    command.AddValue("in", "arrivals", in);
    command.AddValue("out", "delays", out);
    command.Parse(argc, argv);
    RngSeedManager::SetRun(run);
    g_out = fopen(out.c_str(), "w");
    fprintf(g_out, "row,delay_ns\n");

    NodeContainer nodes(n + 1);
    MobilityHelper mobility;
    mobility.SetMobilityModel("ns3::ConstantPositionMobilityModel");
    mobility.Install(nodes);
    Ptr<SingleModelSpectrumChannel> channel = CreateObject<SingleModelSpectrumChannel>();
    channel->AddPropagationLossModel(CreateObject<FriisPropagationLossModel>());
    channel->SetPropagationDelayModel(CreateObject<ConstantSpeedPropagationDelayModel>());
    LrWpanHelper helper;
    helper.SetChannel(channel);
    g_devices = helper.Install(nodes);
    for (uint32_t i = 0; i <= n; i++)
    {
        char address[6];
        snprintf(address, 6, "%02x:%02x", (i + 1) / 256, (i + 1) % 256);
        DynamicCast<LrWpanNetDevice>(g_devices.Get(i))->GetMac()->SetShortAddress(Mac16Address(address));
        DynamicCast<LrWpanNetDevice>(g_devices.Get(i))->GetMac()->SetPanId(0);
        Ptr<LrWpanPhy> phy = DynamicCast<LrWpanNetDevice>(g_devices.Get(i))->GetPhy();
        phy->TraceConnectWithoutContext("PhyTxBegin", MakeBoundCallback(&Begin, i));
        phy->TraceConnectWithoutContext("PhyTxEnd", MakeBoundCallback(&End, i));
    }

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
