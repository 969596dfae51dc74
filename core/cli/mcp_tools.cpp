#include "core/cli/mcp_tools.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/cli/admin_client.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

using Parameter = McpTool::Parameter;
using Kind = Parameter::Kind;
using Place = Parameter::Place;

constexpr Parameter kEventId{"id", "the event's id", Kind::kText, Place::kPath, true};
constexpr Parameter kDeliveryId{"id", "the delivery's id", Kind::kText, Place::kPath, true};
constexpr Parameter kSinkName{"name", "the sink's name", Kind::kText, Place::kPath, true};
constexpr Parameter kLimit{"limit", "how many, 1 to 1000", Kind::kNumber};
constexpr Parameter kCursor{"cursor", "goes on after the page that had this cursor"};
constexpr Parameter kConfirmed{"confirm",
                               "how many match, as counted by this tool when it was called without `confirm`; only "
                               "then is anything changed",
                               Kind::kNumber, Place::kBody};
constexpr const char* kSearchHelp =
    R"(terms that must all hold: agent:billing-eu status:failed sink:ops state:dead duration:>2m after:2h "late fee")";

Parameter InBody(const char* name, const char* about) {
  return {name, about, Kind::kText, Place::kBody};
}

std::vector<Parameter> DeliveryFilter(Place place) {
  return {{"state", "pending, held, delivered, dead, canceled, fell_back; several with commas", Kind::kText, place},
          {"sink", "a sink's name", Kind::kText, place},
          {"rule", "a rule's name", Kind::kText, place},
          {"event", "an event's id", Kind::kText, place},
          {"agent", "an agent's id, name or glob", Kind::kText, place},
          {"status", "a status of the call, or a group such as unsuccessful", Kind::kText, place},
          {"since", "RFC 3339, or a duration back from now such as 2h", Kind::kText, place},
          {"until", "RFC 3339, or a duration back from now", Kind::kText, place}};
}

std::vector<Parameter> With(std::vector<Parameter> parameters, std::initializer_list<Parameter> more) {
  parameters.insert(parameters.end(), more);
  return parameters;
}

std::vector<McpTool> MakeTools() {
  return {
      {"status", "The router: version, config, journal, and what needs a person (`problems`, worst first).", "GET",
       "/api/v1/status"},
      {"list_events",
       "Events of calls, newest first, with what became of each.",
       "GET",
       "/api/v1/events",
       {{"search", kSearchHelp},
        {"agent", "an agent's id, name or glob"},
        {"status", "a status of the call, or a group such as unsuccessful"},
        {"call_id", "the platform's id of the call"},
        {"source", "a source's name"},
        {"since", "RFC 3339, or a duration back from now such as 2h"},
        {"until", "RFC 3339, or a duration back from now"},
        {"details", "with what became of each event", Kind::kFlag},
        kLimit,
        kCursor}},
      {.name = "show_event",
       .about = "One event: what it was read as, each rule and why it matched or not, each delivery and its attempts.",
       .method = "GET",
       .path = "/api/v1/events/{id}",
       .parameters = {kEventId},
       .has_bodies = true},
      {"show_call",
       "All events of one call, oldest first.",
       "GET",
       "/api/v1/calls/{call_id}",
       {{"call_id", "the platform's id of the call", Kind::kText, Place::kPath, true}, kLimit, kCursor}},
      {"list_deliveries", "Deliveries, newest first: state, reason, attempts.", "GET", "/api/v1/deliveries",
       With(DeliveryFilter(Place::kQuery), {kLimit, kCursor})},
      {.name = "show_delivery",
       .about = "One delivery with each attempt: what it waited for, how it ended, why.",
       .method = "GET",
       .path = "/api/v1/deliveries/{id}",
       .parameters = {kDeliveryId},
       .has_bodies = true},
      {"list_refused",
       "Requests that were rejected, newest first, each with the reason.",
       "GET",
       "/api/v1/refused",
       {{"source", "a source's name"}, kLimit, kCursor}},
      {"list_sinks", "The sinks: state and why, what waits, the last hour.", "GET", "/api/v1/sinks"},
      {"list_rules", "The rules in their order, and how often each matched.", "GET", "/api/v1/rules"},
      {"list_sources", "The sources: how each is checked, when it was last heard of, what it was refused for.", "GET",
       "/api/v1/sources"},
      {"show_config", "Every value of the running config, with the place that it comes from; secrets are not shown.",
       "GET", "/api/v1/config"},
      {"list_actions", "What operators did, newest first.", "GET", "/api/v1/actions", {kLimit, kCursor}},
      {.name = "explain",
       .about = "How a payload (or a stored event) is read and routed by the running config, without doing it.",
       .method = "POST",
       .path = "/api/v1/explain",
       .parameters = {InBody("source", "the source that `body` comes from"),
                      InBody("body", "a payload as the platform posts it"),
                      InBody("event", "instead: an event's id"),
                      InBody("at", "as if it came then: RFC 3339"),
                      {"headers", "of the request", Kind::kObject, Place::kBody},
                      {"now", "judge schedules by `at`", Kind::kFlag, Place::kBody},
                      {"messages", "with what each sink would be sent", Kind::kFlag, Place::kBody}},
       .has_bodies = true},
      {.name = "replay_event",
       .about = "Routes one event again by the current rules and sends what they say.",
       .method = "POST",
       .path = "/api/v1/events/{id}/replay",
       .parameters = {kEventId},
       .is_change = true},
      {.name = "replay_events",
       .about = "Routes every event that matches again. The first call only counts.",
       .method = "POST",
       .path = "/api/v1/events/replay",
       .parameters = {InBody("search", kSearchHelp), InBody("agent", "an agent's id, name or glob"),
                      InBody("status", "a status of the call, or a group"),
                      InBody("call_id", "the platform's id of the call"), InBody("source", "a source's name"),
                      InBody("since", "RFC 3339, or a duration back from now"),
                      InBody("until", "RFC 3339, or a duration back from now"), kConfirmed},
       .is_change = true,
       .is_bulk = true},
      {.name = "replay_delivery",
       .about = "Tries one delivery again that has ended.",
       .method = "POST",
       .path = "/api/v1/deliveries/{id}/replay",
       .parameters = {kDeliveryId},
       .is_change = true},
      {.name = "replay_deliveries",
       .about = "Tries every delivery again that matches, dead ones unless `state` says otherwise. The first call only "
                "counts.",
       .method = "POST",
       .path = "/api/v1/deliveries/replay",
       .parameters = With(DeliveryFilter(Place::kBody), {kConfirmed}),
       .is_change = true,
       .is_bulk = true},
      {.name = "purge_deliveries",
       .about = "Gives up every delivery that matches: what waits is canceled, what is dead is removed. The first call "
                "only counts.",
       .method = "POST",
       .path = "/api/v1/deliveries/purge",
       .parameters = With(DeliveryFilter(Place::kBody), {kConfirmed}),
       .is_change = true,
       .is_bulk = true},
      {.name = "pause_sink",
       .about = "Holds a sink's deliveries.",
       .method = "POST",
       .path = "/api/v1/sinks/{name}/pause",
       .parameters = {kSinkName, InBody("until", "when it ends by itself: RFC 3339, or a duration from now such as 2h"),
                      InBody("because", "why, for those who see it paused")},
       .is_change = true},
      {.name = "resume_sink",
       .about = "Ends a pause, and says whether the sink works.",
       .method = "POST",
       .path = "/api/v1/sinks/{name}/resume",
       .parameters = {kSinkName},
       .is_change = true},
      {.name = "test_sink",
       .about = "Sends one message through a sink, marked as a test, and says how it ended.",
       .method = "POST",
       .path = "/api/v1/sinks/{name}/test",
       .parameters = {kSinkName},
       .is_change = true},
      {.name = "reload",
       .about = "Makes the router read its config again; with a problem in it nothing changes.",
       .method = "POST",
       .path = "/api/v1/reload",
       .is_change = true},
  };
}

const char* TypeOf(Kind kind) {
  switch (kind) {
    case Kind::kText: return "string";
    case Kind::kNumber: return "integer";
    case Kind::kFlag: return "boolean";
    case Kind::kObject: return "object";
  }
  Unreachable();
}

bool Is(const json::value& value, Kind kind) {
  switch (kind) {
    case Kind::kText: return value.is_string();
    case Kind::kNumber: return value.is_int64() && value.get_int64() >= 0;
    case Kind::kFlag: return value.is_bool();
    case Kind::kObject: return value.is_object();
  }
  Unreachable();
}

Error Wrong(std::string_view name, const std::string& what) {
  return {ErrorCode::kInvalid, "the argument \"" + OneLine(name) + "\" " + what};
}

std::string AsText(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : ToText(value);
}

}  // namespace

std::span<const McpTool> McpTools() {
  static const std::vector<McpTool> tools = MakeTools();
  return tools;
}

const McpTool* FindMcpTool(std::string_view name) {
  const auto tool = std::ranges::find(McpTools(), name, &McpTool::name);
  return tool == McpTools().end() ? nullptr : &*tool;
}

json::object Describe(const McpTool& tool) {
  json::object properties;
  json::array required;
  for (const Parameter& parameter : tool.parameters) {
    properties.emplace(parameter.name,
                       json::object{{"type", TypeOf(parameter.kind)}, {"description", parameter.about}});
    if (parameter.is_required) required.emplace_back(parameter.name);
  }
  return {{"name", tool.name},
          {"description", tool.about},
          {"inputSchema", json::object{{"type", "object"},
                                       {"properties", std::move(properties)},
                                       {"required", std::move(required)},
                                       {"additionalProperties", false}}},
          {"annotations",
           json::object{{"readOnlyHint", !tool.is_change},
                        {"destructiveHint", tool.is_change && std::string_view(tool.name) == "purge_deliveries"},
                        {"openWorldHint", false}}}};
}

Result<McpRequest> RequestOf(const McpTool& tool, const json::object& arguments, bool show_bodies) {
  McpRequest request{tool.path};
  std::string query = tool.has_bodies && !show_bodies ? "mask=true&" : "";
  for (const auto& [name, value] : arguments) {
    const auto parameter = std::ranges::find(tool.parameters, std::string_view(name), &Parameter::name);
    if (parameter == tool.parameters.end()) {
      std::vector<std::string> known;
      for (const Parameter& one : tool.parameters) known.emplace_back(one.name);
      return Wrong(name, known.empty() ? "is not known: there is none" : "is not known; there is " + Joined(known));
    }
    if (value.is_null() && !parameter->is_required) continue;
    if (!Is(value, parameter->kind)) return Wrong(name, std::string("is no ") + TypeOf(parameter->kind));
    switch (parameter->place) {
      case Place::kPath: {
        const std::string hole = '{' + std::string(name) + '}';
        request.target.replace(request.target.find(hole), hole.size(), PathSegment(AsText(value)));
        break;
      }
      case Place::kQuery: query += std::string(name) + '=' + PercentEncoded(AsText(value)) + '&'; break;
      case Place::kBody:
        if (name != kConfirm) request.body.emplace(name, value);
        break;
    }
  }
  for (const Parameter& parameter : tool.parameters) {
    if (parameter.is_required && !arguments.contains(parameter.name)) return Wrong(parameter.name, "is missing");
  }
  if (!query.empty()) {
    query.pop_back();
    request.target += '?' + query;
  }
  return request;
}

}  // namespace hookswitch::cli
