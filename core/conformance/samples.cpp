#include "core/conformance/samples.h"

#include <chrono>
#include <utility>

#include "core/base/text.h"
#include "core/message/text_template.h"

namespace hookswitch::conformance {

using std::chrono::milliseconds;

SinkDelivery Sample::Delivery(std::uint32_t step) const {
  SinkDelivery made{event, message, "d-7f", "check", "check",
                    1,     step,    state,  memory,  WallTime(milliseconds(1'772'616'600'000))};
  made.expand = message::Expand;
  return made;
}

Sample OrdinarySample() {
  Sample sample{.name = "an ordinary event", .event = {}, .message = {}, .memory = "", .state = ""};
  CallEvent& event = sample.event;
  event.id = "01JD0000000000000000000000";
  event.source = "bolna";
  event.source_title = "Bolna";
  event.call_id = "3f0c7c4e-1111-4222-8333-444455556666";
  event.agent_id = "9b1d2a60-1111-4222-8333-444455556666";
  event.agent_name = "Maya";
  event.status = CallStatus::kCompleted;
  event.stage = Stage::kFinal;
  event.duration = 73.2;
  event.transcript = {{Role::kAgent, "Hello, this is Maya."}, {Role::kUser, "R&D, <please>."}};
  Message& message = sample.message;
  message.title = "Bolna call ended: completed";
  message.severity = Severity::kSuccess;
  message.fields = {{"Call ID", event.call_id}, {"Agent", "Maya"}, {"Duration", "1m 13s"}, {"Status", "completed"}};
  message.text = "The caller wants a call back.";
  message.transcript = "Agent: Hello, this is Maya.\nUser: R&D, <please>.";
  message.links = {{"Recording", "https://example.com/r/1?a=1&b=2"}};
  message.at = WallTime(milliseconds(1'772'614'922'000));
  return sample;
}

Sample FailedSample() {
  Sample sample = OrdinarySample();
  sample.name = "a call that failed";
  sample.event.status = CallStatus::kFailed;
  sample.event.error = "The line was busy.";
  sample.message.title = "Bolna call ended: failed";
  sample.message.severity = Severity::kError;
  return sample;
}

Sample EmptySample() {
  Sample sample{.name = "an event of which nothing is known", .event = {}, .message = {}, .memory = "", .state = ""};
  sample.event.id = "01JD0000000000000000000001";
  sample.message.title = "?";
  sample.message.fields = {{"", ""}, {"Agent", ""}, {"", "value"}};
  sample.message.links = {{"", ""}, {"label", ""}, {"", "https://example.com/"}, {"script", "javascript:alert(1)"}};
  return sample;
}

Sample FilledSample(std::string name, std::string_view unit, std::size_t bytes) {
  Sample sample = OrdinarySample();
  sample.name = std::move(name);
  const std::string text = Repeated(unit, bytes);
  const auto start = [&](std::size_t most) {
    std::string cut = text.substr(0, most);
    return IsUtf8(text) ? ToUtf8(cut) : cut;  // keeps characters whole, unless the text is not UTF-8
  };
  sample.event.error = text;
  sample.event.agent_name = start(1000);
  sample.event.transcript = {{Role::kUser, text}};
  sample.message.title = text;
  sample.message.text = text;
  sample.message.transcript = text;
  sample.message.fields.assign(300, {start(300), start(300)});
  sample.message.links.assign(30, {start(300), "https://example.com/" + std::string(3000, 'a')});
  return sample;
}

std::vector<Sample> Samples() {
  std::vector<Sample> samples{OrdinarySample(), FailedSample(), EmptySample()};
  samples.push_back(
      FilledSample("an event of a megabyte", "Agent: Could you repeat that, please?\nUser: No.\n", 1'000'000));
  samples.push_back(
      FilledSample("markup", "<b>*_~`[x](y)|<@U1><!channel>@everyone &amp; {{x}} \\ \" ' \r\n\t", 20'000));
  samples.push_back(FilledSample("emoji and text from right to left",
                                 "👩‍👩‍👧‍👦\u202E\u05E9\u05DC e\u0301 \U0001F600", 20'000));
  samples.push_back(FilledSample("control characters", std::string_view("a\0b\x01\x1B[31m\x7F\xC2\x85", 13), 5'000));
  samples.push_back(FilledSample("one word without an end", "x", 200'000));
  return samples;
}

Sample InvalidSample() {
  return FilledSample("text that is not UTF-8", "\xFF\xFE\xC3(\xED\xA0\x80 \xF0\x9F", 5'000);
}

std::string Repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + unit.size());
  while (text.size() < bytes) text += unit;
  return text;
}

}  // namespace hookswitch::conformance
