#include "core/sources/identity.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/sources/payload.h"

namespace hookswitch {

std::variant<std::string, NoId> ReadId(const json::value& value) {
  if (value.is_bool() || value.is_array() || value.is_object()) return NoId{"must be a string or a whole number"};
  if (value.is_double() && !payload::Integer(&value)) return NoId{"not a whole number that can be read exactly"};
  std::string id = payload::Text(&value, kMaxIdBytes + 1);
  if (id.size() > kMaxIdBytes) return NoId{"longer than " + std::to_string(kMaxIdBytes) + " bytes"};
  return id;
}

CallStatus StatusOfWord(std::string_view raw) {
  std::string word = ToLower(raw);
  std::replace_if(
      word.begin(), word.end(), [](char c) { return c == '_' || c == ' '; }, '-');
  if (word == "cancelled" || word == "cancel") return CallStatus::kCanceled;
  return ParseStatus(word).value_or(CallStatus::kUnknown);
}

}  // namespace hookswitch
