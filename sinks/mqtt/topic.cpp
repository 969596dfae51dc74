#include "topic.h"

#include "hookswitch/text.hpp"

namespace mqtt {
namespace {

constexpr std::size_t kMaxValue = 200;

std::string_view ValueOf(std::string_view name, const hsw_event& event) {
  if (name == "agent") return hsw::View(event.agent);
  if (name == "status") return hsw::View(event.status);
  if (name == "source") return hsw::View(event.source);
  return hsw::View(event.call_id);
}

/// MQTT 5, 1.5.4: a broker may close the connection if a topic contains other characters.
bool IsAllowed(char32_t c) {
  return !hsw::IsControl(c) && !hsw::IsNoncharacter(c);
}

bool IsKnown(std::string_view name) {
  return name == "agent" || name == "status" || name == "source" || name == "call_id";
}

}  // namespace

std::string ProblemWithTopic(std::string_view topic) {
  if (topic.find_first_of("+#") != std::string_view::npos) return "holds + or #, which are for subscribers";
  if (topic.starts_with('$')) return "begins with $, which is for the broker's own";
  std::size_t size = 0;
  for (std::size_t i = 0; i < topic.size(); i += size) {
    if (!IsAllowed(hsw::FirstCodePoint(topic.substr(i), size))) return "has a character in it that brokers refuse";
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
    std::size_t size = 0;
    for (std::size_t i = 0; i < value.size(); i += size) {
      const char32_t c = hsw::FirstCodePoint(value.substr(i), size);
      const bool own = c == '$' && out.empty();  // topics beginning with '$' are reserved for the broker
      const bool plain = IsAllowed(c) && c != 0xFFFD && c != '/' && c != '+' && c != '#' && !own;
      out += plain ? value.substr(i, size) : "_";
    }
    if (value.empty()) out += '_';
    topic.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace mqtt
