#include "core/plugins/abi_delivery.h"

#include <limits>
#include <utility>

#include "core/base/check.h"

namespace hookswitch::plugins {
namespace {

constexpr std::uint32_t kTypedDataSince = 3;

std::uint32_t SeverityOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo: return HSW_INFO;
    case Severity::kSuccess: return HSW_SUCCESS;
    case Severity::kWarning: return HSW_WARNING;
    case Severity::kError: return HSW_ERROR;
  }
  Unreachable();
}

}  // namespace

AbiDelivery::AbiDelivery(const SinkDelivery& delivery, std::uint32_t minor)
    : event_(delivery.event),
      typed_data_(minor >= kTypedDataSince),
      status_(ToString(delivery.event.status)),
      stage_(ToString(delivery.event.stage)),
      fields_(
          delivery.message.fields, [](const Message::Field& f) -> std::string_view { return f.name; },
          [](const Message::Field& f) -> std::string_view { return f.value; }),
      links_(
          delivery.message.links, [](const Message::Link& l) -> std::string_view { return l.label; },
          [](const Message::Link& l) -> std::string_view { return l.url; }),
      read_raw_body_(delivery.raw_body),
      expand_(delivery.expand) {
  raw_event_.size = sizeof raw_event_;
  raw_event_.id = Str(event_.id);
  raw_event_.source = Str(event_.source);
  raw_event_.call_id = Str(event_.call_id);
  raw_event_.agent = Str(event_.AgentLabel());
  raw_event_.status = Str(status_);
  raw_event_.stage = Str(stage_);
  raw_event_.sentiment = Str(event_.sentiment);
  raw_event_.success = event_.success ? (*event_.success ? 1 : 0) : -1;
  const Message& message = delivery.message;
  raw_message_.size = sizeof raw_message_;
  raw_message_.severity = SeverityOf(message.severity);
  raw_message_.title = Str(message.title);
  raw_message_.fields = fields_.data();
  raw_message_.field_count = fields_.size();
  raw_message_.text = Str(message.text);
  raw_message_.transcript = Str(message.transcript);
  raw_message_.links = links_.data();
  raw_message_.link_count = links_.size();
  raw_message_.at_unix_ms =
      message.at ? message.at->time_since_epoch().count() : std::numeric_limits<std::int64_t>::min();
  raw_.size = sizeof raw_;
  raw_.attempt = delivery.attempt;
  raw_.step = delivery.step;
  raw_.id = Str(delivery.id);
  raw_.sink = Str(delivery.sink);
  raw_.rule = Str(delivery.rule);
  raw_.accepted_unix_ms = event_.received_at.time_since_epoch().count();
  raw_.event = &raw_event_;
  raw_.message = &raw_message_;
  raw_.state = Str(delivery.state);
  raw_.memory = Str(delivery.memory);
  raw_.event_json = [](const hsw_delivery* self) { return Str(Of(self).Json()); };
  raw_.event_value = [](const hsw_delivery* self, hsw_str pointer) {
    AbiDelivery& me = Of(self);
    return me.values_.Find(me.Json(), View(pointer));
  };
  raw_.raw_body = [](const hsw_delivery* self) { return Of(self).RawBody(); };
  raw_.expand = [](const hsw_delivery* self, hsw_str text) { return Of(self).Expand(View(text)); };
  raw_.now_unix_ms = delivery.now.time_since_epoch().count();
  raw_.host = this;
}

std::string_view AbiDelivery::Json() {
  if (json_) return *json_;
  json::object shown = ToObject(event_);
  if (!typed_data_) {
    json::object& data = shown.at("data").as_object();
    for (const auto& [key, value] : event_.data) data[key] = json::string(value.text);
  }
  return json_.emplace(ToText(shown));
}

hsw_str AbiDelivery::RawBody() {
  if (!raw_body_ && read_raw_body_) raw_body_ = read_raw_body_();
  return raw_body_ ? Str(*raw_body_) : hsw_str{nullptr, 0};
}

hsw_str AbiDelivery::Expand(std::string_view text) {
  auto made = expand_ ? expand_(event_, text) : std::nullopt;
  return made ? Str(expanded_.emplace_front(std::move(*made))) : hsw_str{nullptr, 0};
}

hsw_str JsonLookup::Find(std::string_view text, std::string_view pointer) {
  boost::system::error_code error;
  if (!root_) {
    root_ = json::parse({text.data(), text.size()}, error);
    if (error) root_ = nullptr;
  }
  const json::value* found = std::as_const(*root_).find_pointer({pointer.data(), pointer.size()}, error);
  if (!found || found->is_null()) return {nullptr, 0};
  if (const auto* string = found->if_string()) return {string->data(), string->size()};
  return Str(made_.emplace_front(ToText(*found)));
}

}  // namespace hookswitch::plugins
