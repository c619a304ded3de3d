// A stand-in for libnvidia-ml.so.1 with NVML's C ABI, built as real shared objects for the tests:
//   fake_nvml_healthy   two healthy devices
//   fake_nvml_no_driver FAKE_INIT_RESULT=9: there, but its driver is not loaded
//   fake_nvml_lost      FAKE_LOST_DEVICE=1: the second device has fallen off the bus
//   fake_nvml_old       FAKE_OLD: without a function that is needed
#include <cstdio>
#include <cstring>

#ifndef FAKE_INIT_RESULT
#define FAKE_INIT_RESULT 0
#endif
#ifndef FAKE_LOST_DEVICE
#define FAKE_LOST_DEVICE (-1)
#endif

namespace {
struct Device {
  const char* pci;
  const char* uuid;
  const char* serial;
};
Device devices[] = {{"00000000:17:00.0", "GPU-aaaa", "1650000000001"},
                    {"00000000:CA:00.0", "GPU-bbbb", "1650000000002"}};
int running = 0;
int put(char* out, unsigned length, const char* text) {
  std::snprintf(out, length, "%s", text);
  return 0;
}
}  // namespace

extern "C" {

struct FakePci {
  char legacy[16];
  unsigned domain, bus, device, id, subsystem;
  char bus_id[32];
};
struct FakeMemory {
  unsigned long long total, free, used;
};
struct FakeRates {
  unsigned gpu, memory;
};

int nvmlInit_v2() {
  if (FAKE_INIT_RESULT == 0) ++running;
  return FAKE_INIT_RESULT;
}
int nvmlShutdown() {
  --running;
  return 0;
}
const char* nvmlErrorString(int code) {
  return code == 9 ? "Driver Not Loaded" : "GPU is lost";
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return running > 0 ? 0 : 1;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (static_cast<int>(index) == FAKE_LOST_DEVICE) return 15;
  *device = &devices[index];
  return 0;
}
#ifndef FAKE_OLD
int nvmlDeviceGetPciInfo_v3(void* device, void* out) {
  FakePci pci{};
  const char* address = static_cast<Device*>(device)->pci;
  std::memcpy(pci.bus_id, address, std::strlen(address));
  std::memcpy(out, &pci, sizeof pci);
  return 0;
}
#endif
int nvmlSystemGetDriverVersion(char* out, unsigned length) {
  return put(out, length, "550.54.15");
}
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 12040;
  return 0;
}
int nvmlDeviceGetName(void*, char* out, unsigned length) {
  return put(out, length, "NVIDIA H100 80GB HBM3");
}
int nvmlDeviceGetUUID(void* device, char* out, unsigned length) {
  return put(out, length, static_cast<Device*>(device)->uuid);
}
int nvmlDeviceGetSerial(void* device, char* out, unsigned length) {
  return put(out, length, static_cast<Device*>(device)->serial);
}
int nvmlDeviceGetVbiosVersion(void*, char* out, unsigned length) {
  return put(out, length, "96.00.74.00.01");
}
int nvmlDeviceGetMemoryInfo(void*, void* out) {
  const FakeMemory memory{85899345920ULL, 85000000000ULL, 899345920ULL};
  std::memcpy(out, &memory, sizeof memory);
  return 0;
}
int nvmlDeviceGetUtilizationRates(void* device, void* out) {
  const FakeRates rates{device == &devices[0] ? 37U : 0U, 12U};
  std::memcpy(out, &rates, sizeof rates);
  return 0;
}
int nvmlDeviceGetTemperature(void*, int, unsigned* celsius) {
  *celsius = 41;
  return 0;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 71500;
  return 3;  // NVML_ERROR_NOT_SUPPORTED: the value must not be used
}

}  // extern "C"
