#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "core/base/json.h"
#include "core/event/call_event.h"

/// What a call is known by, read in the same way for every platform.
namespace hookswitch {

inline constexpr std::size_t kMaxIdBytes = 256, kMaxStatusBytes = 256;

/// Why a value is no id: "must be a string or a whole number".
struct NoId {
  std::string why;
};

/// An id must be exact, because two calls must never look like one: a text, or a whole number that can be read exactly,
/// of at most kMaxIdBytes. "" for an empty text.
std::variant<std::string, NoId> ReadId(const json::value& value);

/// The status that `word` means, in any case, with `_` or a space for `-`, and one or two `l` in "canceled"; kUnknown
/// for another word.
CallStatus StatusOfWord(std::string_view word);

}  // namespace hookswitch
