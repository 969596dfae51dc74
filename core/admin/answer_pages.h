#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "core/admin/answers.h"
#include "core/admin/query.h"
#include "core/base/clock.h"
#include "core/base/json.h"

namespace hookswitch {

/// A rare match may be far back: the response then has what was found in this time, and a cursor.
inline constexpr std::chrono::milliseconds kListBudget{200};

/// {name: […], "cursor": …}: pages of `list` until `limit` is reached or the time is up. `unknown`: names a filter
/// value that does not exist, or ""; added to an empty page, and answered 400 if the whole list is empty.
template <class List, class Show>
Answer AnswerPages(const char* name, const PageQuery& page, const Clock& clock, std::string unknown, const List& list,
                   const Show& show) {
  const MonoTime end = clock.Mono() + kListBudget;
  json::array items;
  std::int64_t before = page.before;
  do {
    auto part = list(before, page.limit - items.size());
    if (!part) return Failed(part.error());
    for (const auto& item : part->items) items.push_back(show(item));
    before = part->next;
  } while (before != 0 && items.size() < page.limit && clock.Mono() < end);
  json::value cursor = nullptr;
  if (before != 0) cursor = std::to_string(before);
  const bool is_unknown = items.empty() && !unknown.empty();
  if (is_unknown && before == 0 && page.before == 0) return BadRequest({ErrorCode::kNotFound, std::move(unknown)});
  json::object shown{{name, std::move(items)}, {"cursor", std::move(cursor)}};
  if (is_unknown) shown["unknown"] = std::move(unknown);
  return JsonAnswer(200, shown);
}

}  // namespace hookswitch
