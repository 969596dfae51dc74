#include "core/admin/query.h"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/admin/filter_values.h"
#include "core/base/encoding.h"
#include "core/base/ids.h"
#include "core/base/json.h"
#include "core/base/query_string.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr std::int64_t kMostPerPage = 1000;

Error Wrong(std::string_view name, std::string_view what) {
  return {ErrorCode::kInvalid, std::string(name) + ": " + std::string(what)};
}

template <class T>
Error WrongAs(std::string_view name, const Result<T>& value) {
  return {value.error().code, std::string(name) + ": " + value.error().message};
}

std::string Quoted(std::string_view text) {
  return '"' + ToUtf8(text) + '"';
}

// A key of a filter, and how its value, never empty, is set.
template <class Filter>
struct Key {
  std::string_view name;
  Status (*set)(Filter& filter, std::string_view value, WallTime now);
};

template <class Filter, auto Member>
Status SetText(Filter& filter, std::string_view value, WallTime) {
  filter.*Member = value;
  return Ok();
}

template <class Filter>
Status SetAgent(Filter& filter, std::string_view value, WallTime) {
  filter.agent.glob = value;
  return Ok();
}

template <class Filter>
Status SetStatus(Filter& filter, std::string_view value, WallTime) {
  const auto statuses = ParseStatuses(value);
  if (!statuses) return WrongAs("status", statuses);
  filter.statuses = *statuses;
  return Ok();
}

Status SetTime(std::optional<WallTime>& time, std::string_view name, std::string_view value, WallTime now) {
  const auto read = ParseTimeOrAge(value, now);
  if (!read) return WrongAs(name, read);
  time = *read;
  return Ok();
}
Status SetUntilFromNow(WallTime& time, std::string_view value, WallTime now) {
  if (const auto at = ParseTime(value)) {
    time = *at;
  } else if (const auto wait = ParseDuration(value)) {
    time = now + *wait;
  } else {
    return Wrong("until",
                 Quoted(value) + " is neither a time such as 2026-03-04T09:02:03Z nor a duration from now such as 2h");
  }
  return Ok();
}

template <class Filter>
Status SetSince(Filter& filter, std::string_view value, WallTime now) {
  return SetTime(filter.since, "since", value, now);
}
template <class Filter>
Status SetUntil(Filter& filter, std::string_view value, WallTime now) {
  return SetTime(filter.until, "until", value, now);
}

Status SetStates(DeliveryFilter& filter, std::string_view value, WallTime) {
  while (true) {
    const auto comma = value.find(',');
    const auto state = ParseDeliveryState(Trim(value.substr(0, comma)));
    if (!state) return WrongAs("state", state);
    filter.states.push_back(*state);
    if (comma == std::string_view::npos) return Ok();
    value.remove_prefix(comma + 1);
  }
}

Status SetEvent(DeliveryFilter& filter, std::string_view value, WallTime) {
  const auto seq = EventSeqOf(value);
  if (!seq) return Wrong("event", Quoted(value) + " is not the id of an event");
  filter.event = *seq;
  return Ok();
}

// Filter for refused requests.
struct RefusedFilter {
  std::string source;
};
// Of a list that is only paged.
struct NoFilter {};

template <class Filter>
std::span<const Key<Filter>> KeysOf();
template <>
std::span<const Key<RefusedFilter>> KeysOf() {
  static constexpr Key<RefusedFilter> kKeys[] = {{"source", SetText<RefusedFilter, &RefusedFilter::source>}};
  return kKeys;
}
template <>
std::span<const Key<NoFilter>> KeysOf() {
  return {};
}
template <>
std::span<const Key<EventFilter>> KeysOf() {
  static constexpr Key<EventFilter> kKeys[] = {{"agent", SetAgent<EventFilter>},
                                               {"status", SetStatus<EventFilter>},
                                               {"call_id", SetText<EventFilter, &EventFilter::call_id>},
                                               {"source", SetText<EventFilter, &EventFilter::source>},
                                               {"q", SetText<EventFilter, &EventFilter::text>},
                                               {"since", SetSince<EventFilter>},
                                               {"until", SetUntil<EventFilter>}};
  return kKeys;
}
template <>
std::span<const Key<DeliveryFilter>> KeysOf() {
  static constexpr Key<DeliveryFilter> kKeys[] = {{"state", SetStates},
                                                  {"sink", SetText<DeliveryFilter, &DeliveryFilter::sink>},
                                                  {"rule", SetText<DeliveryFilter, &DeliveryFilter::rule>},
                                                  {"agent", SetAgent<DeliveryFilter>},
                                                  {"status", SetStatus<DeliveryFilter>},
                                                  {"call_id", SetText<DeliveryFilter, &DeliveryFilter::call_id>},
                                                  {"source", SetText<DeliveryFilter, &DeliveryFilter::source>},
                                                  {"event", SetEvent},
                                                  {"since", SetSince<DeliveryFilter>},
                                                  {"until", SetUntil<DeliveryFilter>}};
  return kKeys;
}

template <class Filter>
const Key<Filter>* Find(std::string_view name) {
  const auto keys = KeysOf<Filter>();
  const auto found = std::ranges::find(keys, name, &Key<Filter>::name);
  return found == keys.end() ? nullptr : &*found;
}

template <class Filter>
Error Unknown(std::string_view name, std::initializer_list<const char*> more) {
  std::vector<std::string> known;
  for (const auto& key : KeysOf<Filter>()) known.emplace_back(key.name);
  known.insert(known.end(), more.begin(), more.end());
  return {ErrorCode::kInvalid, Quoted(name) + " is not known here; " + DidYouMean(name, known)};
}

template <class Filter>
Status CheckTimes(const Filter& filter) {
  if constexpr (std::same_as<Filter, RefusedFilter> || std::same_as<Filter, NoFilter>)
    return Ok();
  else if (filter.since && filter.until && *filter.until <= *filter.since)
    return Wrong("until", "is not after since");
  return Ok();
}

Result<bool> FlagOf(std::string_view name, std::string_view value) {
  if (value != "true" && value != "false") return Wrong(name, Quoted(value) + " is neither true nor false");
  return value == "true";
}

Status SetPage(PageQuery& page, std::string_view name, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  if (name == "limit") {
    if (!whole || number < 1 || number > kMostPerPage) {
      return Wrong(name, Quoted(value) + " is not a number from 1 to " + std::to_string(kMostPerPage));
    }
    page.limit = static_cast<std::size_t>(number);
    return Ok();
  }
  if (!whole || number < 1) return Wrong(name, Quoted(value) + " is no cursor of an earlier answer");
  page.before = number;
  return Ok();
}

template <class Query, class Filter>
Result<Query> Parse(std::string_view query, WallTime now) {
  Query parsed;
  std::set<std::string, std::less<>> seen;
  std::string name;
  std::string value;
  while (const auto parameter = TakeParameter(query)) {
    if (!PercentDecodeStrict(parameter->name, true, name)) return Wrong("query", "has a broken percent escape");
    // A time has no blanks, and the plus of its zone is often sent unescaped.
    const bool is_time = name == "since" || name == "until";
    if (!PercentDecodeStrict(parameter->value.value_or(""), !is_time, value)) {
      return Wrong(name, "has a broken percent escape");
    }
    if (!seen.insert(name).second) return Wrong(name, "is given twice");
    const bool of_page = name == "limit" || name == "cursor";
    const auto* key = Find<Filter>(name);
    if constexpr (std::same_as<Query, EventQuery>) {
      if (name == "search") {
        parsed.search = value;
        continue;
      }
      if (name == "details") {
        const auto flag = value.empty() ? Result(false) : FlagOf(name, value);
        if (!flag) return flag.error();
        parsed.details = *flag;
        continue;
      }
      if (!key && !of_page) return Unknown<Filter>(name, {"search", "details", "limit", "cursor"});
    }
    if (!key && !of_page) return Unknown<Filter>(name, {"limit", "cursor"});
    if (value.empty()) continue;
    HSW_TRY(of_page ? SetPage(parsed.page, name, value) : key->set(parsed.filter, value, now));
  }
  HSW_TRY(CheckTimes(parsed.filter));
  return parsed;
}

// A text; for `state` also a list of texts, joined with commas.
Result<std::string> TextOf(std::string_view name, const json::value& value) {
  std::string text;
  const auto* list = name == "state" ? value.if_array() : nullptr;
  for (const auto& item : list ? std::span<const json::value>(*list) : std::span<const json::value>(&value, 1)) {
    if (!item.is_string() || item.get_string().empty()) return Wrong(name, "is not a text, or is empty");
    if (!text.empty()) text += ',';
    text += item.get_string();
  }
  if (text.empty()) return Wrong(name, "is an empty list");
  return text;
}

// Reads a filter from a JSON object; `which`: the error for one that narrows nothing.
template <class Request>
Status ParseBulk(std::string_view body, WallTime now, Request& request, const char* which) {
  using Filter = decltype(request.filter);
  auto object = ParseObject(body);
  if (!object) return std::move(object).error();
  bool all = false;
  bool narrowed = false;
  for (const auto& member : *object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (name == "dry_run" || name == "all") {
      if (!member.value().is_bool()) return Wrong(name, "is neither true nor false");
      (name == "all" ? all : request.dry_run) = member.value().get_bool();
      continue;
    }
    auto text = TextOf(name, member.value());
    if constexpr (requires { request.search; }) {
      if (name == "search") {
        if (!text) return std::move(text).error();
        request.search = std::move(*text);
        narrowed = true;
        continue;
      }
    }
    const auto* key = Find<Filter>(name);
    if (!key) {
      if constexpr (requires { request.search; }) return Unknown<Filter>(name, {"search", "dry_run", "all"});
      return Unknown<Filter>(name, {"dry_run", "all"});
    }
    if (!text) return std::move(text).error();
    HSW_TRY(key->set(request.filter, *text, now));
    narrowed = narrowed || name != "state";
  }
  HSW_TRY(CheckTimes(request.filter));
  if (!narrowed && !all) return Error{ErrorCode::kInvalid, which};
  return Ok();
}

}  // namespace

Result<PageQuery> ParsePageQuery(std::string_view query) {
  struct Query {
    NoFilter filter;
    PageQuery page;
  };
  auto parsed = Parse<Query, NoFilter>(query, WallTime{});
  if (!parsed) return std::move(parsed).error();
  return parsed->page;
}

Result<json::object> ParseObject(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !value.is_object()) return Error{ErrorCode::kInvalid, "the body is not a JSON object"};
  return value.get_object();
}

Result<EventQuery> ParseEventQuery(std::string_view query, WallTime now) {
  return Parse<EventQuery, EventFilter>(query, now);
}

Result<DeliveryQuery> ParseDeliveryQuery(std::string_view query, WallTime now) {
  return Parse<DeliveryQuery, DeliveryFilter>(query, now);
}

Result<CallQuery> ParseCallQuery(std::string_view query) {
  struct Query {
    RefusedFilter filter;
    PageQuery page = CallQuery().page;
  };
  auto parsed = Parse<Query, RefusedFilter>(query, WallTime{});
  if (!parsed) return std::move(parsed).error();
  return CallQuery{std::move(parsed->filter.source), parsed->page};
}

Result<SuggestQuery> ParseSuggestQuery(std::string_view query) {
  SuggestQuery parsed;
  std::optional<std::size_t> at;
  std::set<std::string, std::less<>> seen;
  std::string name;
  std::string value;
  while (const auto parameter = TakeParameter(query)) {
    const bool is_whole = PercentDecodeStrict(parameter->name, true, name) &&
                          PercentDecodeStrict(parameter->value.value_or(""), true, value);
    if (!is_whole) return Wrong("query", "has a broken percent escape");
    if (!seen.insert(name).second) return Wrong(name, "is given twice");
    if (name == "search") {
      parsed.search = ToUtf8(value);
    } else if (name == "at") {
      std::size_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size()) {
        return Wrong(name, Quoted(value) + " is no number of characters");
      }
      at = number;
    } else {
      return Error{ErrorCode::kInvalid, Quoted(name) + " is not known here; " + DidYouMean(name, {"search", "at"})};
    }
  }
  parsed.at = std::min(at.value_or(~std::size_t{0}), CodePoints(parsed.search));
  return parsed;
}

Result<RefusedQuery> ParseRefusedQuery(std::string_view query) {
  struct Query {
    RefusedFilter filter;
    PageQuery page;
  };
  auto parsed = Parse<Query, RefusedFilter>(query, WallTime{});
  if (!parsed) return std::move(parsed).error();
  return RefusedQuery{std::move(parsed->filter.source), parsed->page};
}

Result<StreamQuery> ParseStreamQuery(std::string_view query) {
  StreamQuery parsed;
  std::set<std::string, std::less<>> seen;
  std::string name;
  std::string value;
  while (const auto parameter = TakeParameter(query)) {
    if (!PercentDecodeStrict(parameter->name, true, name)) return Wrong("query", "has a broken percent escape");
    if (!PercentDecodeStrict(parameter->value.value_or(""), true, value)) {
      return Wrong(name, "has a broken percent escape");
    }
    if (!seen.insert(name).second) return Wrong(name, "is given twice");
    if (name != "kinds" && name != "cursor") return Unknown<NoFilter>(name, {"kinds", "cursor"});
    (name == "kinds" ? parsed.kinds : parsed.cursor) = value;
  }
  return parsed;
}

Result<BulkRequest> ParseBulkRequest(std::string_view body, WallTime now) {
  BulkRequest request;
  HSW_TRY(ParseBulk(body, now, request, "say which deliveries are meant (sink, since, …), or \"all\": true (--all)"));
  if (request.filter.states.empty()) request.filter.states = {DeliveryState::kDead};
  return request;
}

Result<EventBulkRequest> ParseEventBulkRequest(std::string_view body, WallTime now) {
  EventBulkRequest request;
  HSW_TRY(
      ParseBulk(body, now, request, "say which events are meant (search, agent, since, …), or \"all\": true (--all)"));
  return request;
}

Result<Pause> ParsePause(std::string_view body, WallTime now) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 3653);
  constexpr std::size_t kLongestText = 500;
  static const std::vector<std::string> kKeys = {"until", "because", "reason"};
  Pause pause;
  if (body.empty()) return pause;
  auto object = ParseObject(body);
  if (!object) return std::move(object).error();
  for (const auto& member : *object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(kKeys, name) == kKeys.end()) {
      return Error{ErrorCode::kInvalid, Quoted(name) + " is not known here; " + DidYouMean(name, kKeys)};
    }
    auto text = TextOf(name, member.value());
    if (!text) return std::move(text).error();
    if (name == "until") {
      HSW_TRY(SetUntilFromNow(pause.until, *text, now));
      if (pause.until <= now) return Wrong(name, Quoted(*text) + " is not in the future");
      if (pause.until - now > kLongest) return Wrong(name, Quoted(*text) + " is more than ten years away");
      continue;
    }
    if (!pause.because.empty()) return Error{ErrorCode::kInvalid, "because and reason are the same: send one of them"};
    if (CodePoints(*text) > kLongestText) return Wrong(name, "is longer than 500 characters");
    pause.because = std::move(*text);
  }
  return pause;
}

Status ExpectNoBody(std::string_view body) {
  if (body.empty()) return Ok();
  auto object = ParseObject(body);
  if (!object) return std::move(object).error();
  if (!object->empty()) {
    return Error{ErrorCode::kInvalid, Quoted(object->begin()->key()) + " is not known here; send no body"};
  }
  return Ok();
}

Status ExpectNoQuery(std::string_view query) {
  if (query.empty()) return Ok();
  return Error{ErrorCode::kInvalid, Quoted(query) + " is not known here; this page takes no parameters"};
}

}  // namespace hookswitch
