#include "core/admin/lane_json.h"

#include "core/admin/answers.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

json::object HourOf(const HourCounts::Hour& hour) {
  const auto numbers = [](const HourCounts::Series& series) { return json::array(series.begin(), series.end()); };
  return {{"from", ToRfc3339(hour.from)},
          {"step", 60},
          {"delivered", numbers(hour.delivered)},
          {"retried", numbers(hour.retried)},
          {"dead", numbers(hour.dead)}};
}

}  // namespace

json::object ToObject(const LaneStatus& lane, WallTime now) {
  json::array places;
  for (const LaneStatus::Place& place : lane.places) {
    places.push_back(json::object{{"name", place.name},
                                  {"because", OrNull(place.because)},
                                  {"waiting", place.waiting},
                                  {"next_try", ToRfc3339(place.next_try)}});
  }
  return {{"sink", lane.sink},
          {"state", ToString(lane.state)},
          {"because", OrNull(lane.because)},
          {"since", OrNull(lane.since)},
          {"pending", lane.pending},
          {"in_flight", lane.in_flight},
          {"oldest", OrNull(lane.oldest)},
          {"until", OrNull(lane.until)},
          {"places", std::move(places)},
          {"plugin", OrNull(lane.plugin)},
          {"rate", OrNull(lane.rate)},
          {"concurrency", lane.concurrency == 0 ? json::value(nullptr) : json::value(lane.concurrency)},
          {"fallback", OrNull(lane.fallback)},
          {"last_hour", HourOf(lane.last_hour ? lane.last_hour->At(now) : HourCounts().At(now))}};
}

}  // namespace hookswitch
