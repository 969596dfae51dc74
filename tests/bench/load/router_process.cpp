#include "tests/bench/load/router_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "tests/fakes/raw_client.h"

namespace hookswitch::bench {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::uint16_t PortIn(std::string_view line, std::string_view key) {
  const auto at = line.find("\"" + std::string(key) + "\":\"");
  const auto colon = at == std::string_view::npos ? at : line.find(':', at + key.size() + 4);
  return colon == std::string_view::npos ? std::uint16_t{0}
                                         : static_cast<std::uint16_t>(std::atoi(line.data() + colon + 1));
}

/// Starts a program that writes to the file `log` and ends with this one.
pid_t Start(std::vector<std::string> command, const std::string& log) {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execv(words[0], words.data());
  _exit(127);
}

/// What `log` says from `word` to the end of the line, once it does; "" if the process ends before, or takes half a
/// minute.
std::string AwaitLine(pid_t pid, const std::string& log, std::string_view word) {
  for (int i = 0; i < 3000; ++i) {
    poll(nullptr, 0, 10);
    if (waitpid(pid, nullptr, WNOHANG) != 0) break;
    const std::string text = ReadFile(log);
    const auto at = text.find(word);
    const auto end = at == std::string::npos ? at : text.find('\n', at);
    if (end != std::string::npos) return text.substr(at, end - at);
  }
  return {};
}

[[noreturn]] void GiveUp(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

/// Of /proc/PID/stat, or a thread's.
double CpuSecondsIn(const std::string& text) {
  // proc(5): the name in parentheses is field 2, utime 14, stime 15.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 2));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

double CpuSeconds(pid_t pid) {
  return pid == 0 ? 0 : CpuSecondsIn(ReadFile("/proc/" + std::to_string(pid) + "/stat"));
}

double CpuSecondsOf(pid_t pid, std::string_view thread) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    const std::string text = ReadFile(task.path() / "stat");
    if (text.find("(" + std::string(thread) + ")") != std::string::npos) return CpuSecondsIn(text);
  }
  return 0;
}

std::uint64_t ResidentBytes(pid_t pid) {
  std::istringstream fields(ReadFile("/proc/" + std::to_string(pid) + "/statm"));
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  fields >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

RouterProcess::RouterProcess(const std::string& program, const std::string& folder, std::string_view config) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string file = folder + "/hookswitch.yaml";
  const std::string log = folder + "/log";
  std::ofstream(file) << "version: 1\nserver: {listen: \"127.0.0.1:0\", max_connections: 4096}\n"
                         "admin: {listen: \"127.0.0.1:0\"}\njournal: {path: "
                      << folder << "/journal.db, max_backlog: 3000000}\n"
                      << config;
  pid_ = Start({program, "serve", "-c", file}, log);
  const std::string line = AwaitLine(pid_, log, "\"event\":\"ready\"");
  ingress_ = PortIn(line, "ingress");
  admin_ = PortIn(line, "admin");
  if (ingress_ == 0) GiveUp("the router did not get ready; its log:\n" + ReadFile(log));
}

RouterProcess::~RouterProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void RouterProcess::Command(const std::string& path) const {
  const auto answer = fakes::Fetch(admin_, "POST", path);
  if (answer.status != 200) GiveUp(path + ": " + std::to_string(answer.status) + " " + answer.body + answer.error);
}

BareProcess::BareProcess(const std::string& program, const std::string& folder) {
  std::filesystem::create_directories(folder);
  const std::string log = folder + "/bare.log";
  std::filesystem::remove(log);
  pid_ = Start({program}, log);
  const std::string line = AwaitLine(pid_, log, "listening on ");
  const auto colon = line.rfind(':');
  if (colon != std::string::npos) port_ = static_cast<std::uint16_t>(std::atoi(line.c_str() + colon + 1));
  if (port_ == 0) GiveUp("the bare server did not start; its output:\n" + ReadFile(log));
}

BareProcess::~BareProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

MemoryWatch::MemoryWatch(pid_t pid) {
  thread_ = std::thread([this, pid] {
    while (!stop_) {
      peak_ = std::max(peak_.load(), ResidentBytes(pid));
      poll(nullptr, 0, 100);
    }
  });
}

MemoryWatch::~MemoryWatch() {
  stop_ = true;
  thread_.join();
}

}  // namespace hookswitch::bench
