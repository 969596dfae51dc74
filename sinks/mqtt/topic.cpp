#include "topic.h"

namespace mqtt {
namespace {

constexpr std::size_t kMaxValue = 200;

std::string_view ValueOf(std::string_view name, const hsw_event& event) {
  if (name == "agent") return hsw::View(event.agent);
  if (name == "status") return hsw::View(event.status);
  if (name == "source") return hsw::View(event.source);
  return hsw::View(event.call_id);
}

bool IsKnown(std::string_view name) {
  return name == "agent" || name == "status" || name == "source" || name == "call_id";
}

}  // namespace

std::string ProblemWithTopic(std::string_view topic) {
  if (topic.find_first_of("+#") != std::string_view::npos) return "holds + or #, which are for subscribers";
  if (topic.starts_with('$')) return "begins with $, which is for the broker's own";
  for (const char c : topic) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "has a control character in it";
  }
  for (std::size_t open = topic.find('{'); open != std::string_view::npos; open = topic.find('{', open + 1)) {
    const auto end = topic.find('}', open);
    const auto name = topic.substr(open + 1, end == std::string_view::npos ? end : end - open - 1);
    if (end == std::string_view::npos || !IsKnown(name)) {
      return "knows {agent}, {status}, {source} and {call_id}, not {" + std::string(name) + "}";
    }
  }
  return "";
}

std::string TopicFor(std::string_view topic, const hsw::Delivery& delivery) {
  std::string out;
  while (!topic.empty()) {
    const auto open = topic.find('{');
    out += topic.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto end = topic.find('}', open);
    const auto value = hsw::CutBytes(ValueOf(topic.substr(open + 1, end - open - 1), delivery.Event()), kMaxValue);
    for (const char c : value) {
      const bool own = c == '$' && out.empty();  // topics that begin with it are the broker's own
      const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != 0x7F && c != '/' && c != '+' && c != '#' && !own;
      out += plain ? c : '_';
    }
    if (value.empty()) out += '_';
    topic.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace mqtt
