#include "tests/e2e/router.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "core/base/json.h"
#include "tests/admin/api_document.h"

namespace hookswitch::e2e {
namespace {

constexpr std::string_view kIdPrefix = "00000000-0000-4000-8000-";
constexpr std::size_t kIdDigits = 12;

std::uint16_t PortOf(const json::object& line, const char* key) {
  const json::value* address = line.if_contains(key);
  if (address == nullptr || !address->is_string()) return 0;
  // Of several the first counts; a unix socket has no port.
  const std::string all(address->get_string());
  const std::string text = all.substr(0, all.find(", "));
  if (text.starts_with("unix:")) return 0;
  return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

std::vector<std::string> Launched(std::vector<std::string> command, const std::string& config_path) {
  for (const std::string& word : {Program(), std::string("serve"), std::string("-c"), config_path}) {
    command.push_back(word);
  }
  return command;
}

RawAnswer Documented(std::string_view method, std::string_view target, std::string_view body, RawAnswer answer) {
  // A router that a test has killed answers nothing.
  if (answer.status != 0) {
    ExpectDocumented(method, target, body, {answer.status, answer.Header("Content-Type"), answer.headers, answer.body});
  }
  return answer;
}

}  // namespace

std::string Program() {
  return HSW_BINARY_DIR "/bin/hookswitch";
}
std::string PluginFolder() {
  return HSW_BINARY_DIR "/lib/hookswitch/sinks";
}

RouterConfig& RouterConfig::Slack(const std::string& name, const std::string& url,
                                  std::vector<std::string> more_lines) {
  const std::string secret = dir_ / (name + "_webhook");
  WriteFile(secret, url);
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  names_.push_back(name);
  sinks +=
      "  " + name + ":\n    plugin: slack\n    config: {webhook_url: {file: " + secret + "}, allow_any_host: true}\n";
  const auto has = [&](std::string_view key) {
    for (const std::string& line : more_lines) {
      if (line.starts_with(key)) return true;
    }
    return false;
  };
  if (!has("rate_limit:")) more_lines.emplace_back("rate_limit: {max: 100000, per: 1s, burst: 100000}");
  if (!has("concurrency:")) more_lines.emplace_back("concurrency: 8");
  if (!has("retry:")) more_lines.emplace_back("retry: {schedule: [100ms], give_up_after: 1h}");
  for (const std::string& line : more_lines) sinks += "    " + line + "\n";
  return *this;
}

std::string RouterConfig::Text() const {
  std::string text = "version: 1\nserver: " + server + "\nadmin: " + admin + "\njournal: " + journal +
                     "\nplugins: {paths: [" + plugin_paths + "]}\nsources:\n  bolna: " + source + "\n";
  if (!sinks.empty()) text += "sinks:\n" + sinks;
  if (!rules.empty()) {
    text += "rules:\n" + rules;
  } else if (!names_.empty()) {
    text += "rules:\n  - name: everything\n    send: [";
    for (const std::string& name : names_) text += (name == names_.front() ? "" : ", ") + name;
    text += "]\n";
  }
  return text + more;
}

std::string RouterConfig::Write() const {
  WriteFile(Path(), Text());
  return Path();
}

std::string Call(std::string_view id, const json::object& changes) {
  static const json::object completed =
      json::parse(ReadFile(HSW_SOURCE_DIR "/tests/e2e/data/completed.json")).as_object();
  json::object call = completed;
  call["id"] = id;
  call["execution_id"] = id;
  for (const auto& change : changes) call[change.key()] = change.value();
  return json::serialize(call);
}

std::string CallId(std::size_t number) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%012zx", number);
  return std::string(kIdPrefix) + digits;
}

std::optional<std::size_t> CallNumberIn(std::string_view text) {
  const std::size_t at = text.find(kIdPrefix);
  if (at == std::string_view::npos) return {};
  return std::stoul(std::string(text.substr(at + kIdPrefix.size(), kIdDigits)), nullptr, 16);
}

Router::Router(const std::string& config_path, const std::vector<std::string>& environment,
               std::vector<std::string> launcher)
    : child_(Launched(std::move(launcher), config_path), environment) {
  const auto line = WaitForEvent("ready", seconds(30));
  if (!line) {
    ADD_FAILURE() << "the router did not get ready; its log:\n" << Log();
    return;
  }
  const json::object ready = json::parse(*line).as_object();
  ingress_ = PortOf(ready, "ingress");
  admin_ = PortOf(ready, "admin");
}

RawAnswer Router::Post(std::string_view body, const fakes::HeaderList& headers, std::string_view path) const {
  return fakes::Fetch(ingress_, "POST", path, body, headers);
}

RawAnswer Router::Get(std::string_view admin_path) const {
  return Documented("GET", admin_path, "", fakes::Fetch(admin_, "GET", admin_path));
}

RawAnswer Router::PostAdmin(std::string_view admin_path, std::string_view body) const {
  return Documented("POST", admin_path, body, fakes::Fetch(admin_, "POST", admin_path, body));
}

std::string Router::GetWith(std::string_view text, std::string_view admin_path) const {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  std::string body = Get(admin_path).body;
  while (body.find(text) == std::string::npos && std::chrono::steady_clock::now() < deadline) {
    body = Get(admin_path).body;
  }
  return body;
}

std::optional<std::string> Router::WaitForEvent(std::string_view event, milliseconds timeout) const {
  return child_.WaitForLine("\"event\":\"" + std::string(event) + "\"", timeout);
}

bool Router::WaitForEvents(std::string_view event, std::size_t count, milliseconds timeout) const {
  return child_.WaitForLines("\"event\":\"" + std::string(event) + "\"", count, timeout);
}

std::string Router::Log() const {
  std::string log;
  for (const std::string& line : child_.Lines()) log += line + "\n";
  return log;
}

namespace {
/// A number that /proc tells of the process: "VmRSS", "Threads".
std::size_t StatusNumber(pid_t pid, std::string_view key) {
  std::istringstream status(ReadFile("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(std::string(key) + ":")) return std::stoul(line.substr(key.size() + 1));
  }
  return 0;
}
}  // namespace

std::size_t Router::Rss() const {
  return StatusNumber(child_.Pid(), "VmRSS") * 1024;
}
std::size_t Router::PeakRss() const {
  return StatusNumber(child_.Pid(), "VmHWM") * 1024;
}

std::size_t Router::Threads() const {
  return StatusNumber(child_.Pid(), "Threads");
}

milliseconds Router::CpuTime() const {
  // proc(5): the name in parentheses is field 2, utime 14, stime 15.
  const std::string stat = ReadFile("/proc/" + std::to_string(child_.Pid()) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

std::optional<int> Router::Stop(milliseconds timeout) {
  child_.Signal(SIGTERM);
  return child_.WaitForExit(timeout);
}

void Router::Kill() {
  child_.Signal(SIGKILL);
  child_.WaitForExit(seconds(10));
}

}  // namespace hookswitch::e2e
