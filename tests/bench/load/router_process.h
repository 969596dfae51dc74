#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace hookswitch::bench {

/// User and system time of a process in seconds; 0 for pid 0 and one that has gone.
double CpuSeconds(pid_t pid);
/// The same of one of its threads, by name; 0 if it has none such.
double CpuSecondsOf(pid_t pid, std::string_view thread);
/// Resident memory of a process in bytes; 0 for one that has gone.
std::uint64_t ResidentBytes(pid_t pid);

/// A running `hookswitch serve` in a folder of its own, its log in a file there. One that does not come up ends the
/// whole program with its log.
class RouterProcess {
 public:
  /// `config` is completed by listeners on free ports and a journal in `folder`, which is emptied first.
  RouterProcess(const std::string& program, const std::string& folder, std::string_view config);
  ~RouterProcess();
  RouterProcess(const RouterProcess&) = delete;
  RouterProcess& operator=(const RouterProcess&) = delete;

  pid_t Pid() const { return pid_; }
  std::uint16_t Ingress() const { return ingress_; }
  std::uint16_t Admin() const { return admin_; }
  void Pause(const std::string& sink) const { Command("/api/v1/sinks/" + sink + "/pause"); }
  void Resume(const std::string& sink) const { Command("/api/v1/sinks/" + sink + "/resume"); }

 private:
  void Command(const std::string& path) const;

  pid_t pid_ = -1;
  std::uint16_t ingress_ = 0, admin_ = 0;
};

/// A running `hookswitch-bare`: Poco's HTTP server that answers 200 and does nothing else.
class BareProcess {
 public:
  /// Its output goes to a file in `folder`.
  BareProcess(const std::string& program, const std::string& folder);
  ~BareProcess();
  BareProcess(const BareProcess&) = delete;
  BareProcess& operator=(const BareProcess&) = delete;

  std::uint16_t Port() const { return port_; }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

/// Looks at a process's memory ten times a second.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t pid);
  ~MemoryWatch();
  /// The most it has held since the watch began.
  std::uint64_t Peak() const { return peak_; }

 private:
  std::atomic<std::uint64_t> peak_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace hookswitch::bench
