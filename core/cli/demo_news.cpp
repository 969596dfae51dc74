#include "core/cli/demo_news.h"

#include <string_view>
#include <utility>

#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

/// One line for people of a log line about a fault. Refused requests and pauses that Slack asks for are none: the demo
/// makes them.
std::string TroubleIn(const json::object& line, const std::string& event) {
  if (event != "delivery_refused" && event != "lane_failing" && Text(line, "level") != "error") return "";
  std::string text = event;
  if (line.contains("sink")) text += " (" + Text(line, "sink") + ")";
  for (const char* key : {"code", "message", "reason", "action"}) {
    if (line.contains(key)) text += ": " + Text(line, key);
  }
  return OneLine(text);
}

}  // namespace

void DemoNews::RouterStarts() {
  MutexLock lock(mu_);
  seen_ = {.stop = seen_.stop};
}

void DemoNews::RouterLogged(const json::object* line) {
  MutexLock lock(mu_);
  if (line) {
    Read(*line);
  } else {
    seen_.router_ended = true;
    has_news_ = true;
  }
  changed_.NotifyAll();
}

void DemoNews::Read(const json::object& line) {
  const std::string event = Text(line, "event");
  const std::string trouble = TroubleIn(line, event);
  if (event == "ready") {
    seen_.ingress = Text(line, "ingress");
    seen_.admin = Text(line, "admin");
  } else if (event == "delivery_delivered") {
    ++seen_.delivered;
  } else if (event == "delivery_dead") {
    ++seen_.dead;
  } else if (trouble.empty()) {
    return;
  }
  has_news_ = true;
  if (trouble.empty()) return;
  // A start fails for what was logged before.
  if (event != "start_failed" || seen_.trouble.empty()) seen_.trouble = trouble;
  seen_.texts.push_back("  the router: " + trouble + "\n");
}

void DemoNews::Print(std::string text) {
  MutexLock lock(mu_);
  seen_.texts.push_back(std::move(text));
  has_news_ = true;
  changed_.NotifyAll();
}

void DemoNews::Stop() {
  MutexLock lock(mu_);
  seen_.stop = true;
  has_news_ = true;
  changed_.NotifyAll();
}

DemoNews::Seen DemoNews::Next(MonoTime deadline) {
  MutexLock lock(mu_);
  while (!has_news_ && MonoTime::clock::now() < deadline) changed_.WaitUntil(mu_, deadline);
  has_news_ = false;
  Seen seen = seen_;
  seen_.texts.clear();
  return seen;
}

}  // namespace hookswitch::cli
