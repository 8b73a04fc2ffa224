// Records one-way delays over a CSMA bus with ns-3: N senders and one sink on the same channel. Arrivals are read from
// a file of lines "sender t_ns", so that another program can carry the same traffic. Each is one UDP payload of P bytes:
// on the wire P + 8 (UDP) + 20 (IPv4) + 18 (Ethernet header and checksum). Neighbour caches are filled beforehand.
#include "ns3/core-module.h"
#include "ns3/network-module.h"
#include "ns3/internet-module.h"
#include "ns3/csma-module.h"
#include "ns3/traffic-control-module.h"
#include <cstdio>
#include <fstream>
#include <chrono>
using namespace ns3;
static std::vector<Ptr<Socket>> g_socket; static uint32_t g_size=200; static uint64_t g_tx=0,g_rx=0;
static FILE* g_out;
static void SendOne(uint32_t i, uint64_t row){ uint8_t b[1500]={0}; int64_t now=Simulator::Now().GetNanoSeconds(); memcpy(b,&row,8); memcpy(b+8,&now,8); g_socket[i]->Send(b,g_size,0); g_tx++; }
static void Rx(Ptr<Socket> s){ Ptr<Packet> p; while((p=s->Recv())){ uint8_t b[16]; p->CopyData(b,16); uint64_t row; int64_t t; memcpy(&row,b,8); memcpy(&t,b+8,8); g_rx++;
  fprintf(g_out,"%lu,%ld\n",row,(long)(Simulator::Now().GetNanoSeconds()-t)); } }
int main(int argc,char**argv){
  uint32_t n=100,Q=100000; std::string R="1Mbps",D="6560ns",in="arrivals.txt",out="delays.csv";
  CommandLine c; c.AddValue("n","",n); c.AddValue("P","",g_size); c.AddValue("Q","",Q); c.AddValue("R","",R); c.AddValue("D","",D); c.AddValue("in","",in); c.AddValue("out","",out); c.Parse(argc,argv);
  g_out=fopen(out.c_str(),"w"); fprintf(g_out,"row,delay_ns\n");
  NodeContainer nodes; nodes.Create(n+1); InternetStackHelper is; is.SetIpv6StackInstall(false); is.Install(nodes);
  CsmaHelper h; h.SetChannelAttribute("DataRate",StringValue(R)); h.SetChannelAttribute("Delay",StringValue(D));
  h.SetQueue("ns3::DropTailQueue<Packet>","MaxSize",StringValue(std::to_string(Q)+"p"));
  NetDeviceContainer d=h.Install(nodes); Ipv4AddressHelper a; a.SetBase("10.0.0.0","255.255.128.0"); auto ifc=a.Assign(d);
  TrafficControlHelper tch; tch.Uninstall(d); NeighborCacheHelper nc; nc.PopulateNeighborCache();
  for(uint32_t i=0;i<n;i++){ auto s=Socket::CreateSocket(nodes.Get(i),UdpSocketFactory::GetTypeId()); s->Connect(InetSocketAddress(ifc.GetAddress(n),9)); g_socket.push_back(s);}
  auto k=Socket::CreateSocket(nodes.Get(n),UdpSocketFactory::GetTypeId()); k->Bind(InetSocketAddress(Ipv4Address::GetAny(),9)); k->SetRecvCallback(MakeCallback(&Rx));
  std::ifstream f(in); uint32_t who; uint64_t t,row=0; while(f>>who>>t){ Simulator::ScheduleWithContext(nodes.Get(who)->GetId(),NanoSeconds(t),&SendOne,who,row++); }
  auto w=std::chrono::steady_clock::now(); Simulator::Run(); double s=std::chrono::duration<double>(std::chrono::steady_clock::now()-w).count();
  printf("tx %lu rx %lu seconds %.2f\n",g_tx,g_rx,s); fclose(g_out); Simulator::Destroy(); }
