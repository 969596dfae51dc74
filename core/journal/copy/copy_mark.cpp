#include "core/journal/copy/copy_mark.h"

#include <array>
#include <charconv>
#include <utility>

#include "core/base/check.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

constexpr std::array<std::pair<CopyMark::Role, std::string_view>, 3> kRoles{
    {{CopyMark::Role::kCopying, "copying"},
     {CopyMark::Role::kMoved, "moved"},
     {CopyMark::Role::kUnfinished, "unfinished"}}};

}  // namespace

std::string CopyMark::ToText() const {
  for (const auto& [known, name] : kRoles) {
    if (known == role) return std::string(name) + " " + std::to_string(token) + " " + ToUtf8(other);
  }
  return "";
}

Result<CopyMark> CopyMark::Parse(std::string_view text) {
  if (text.empty()) return CopyMark();
  const std::size_t name_end = text.find(' '), token_end = text.find(' ', name_end + 1);
  for (const auto& [role, name] : kRoles) {
    if (token_end == std::string_view::npos || text.substr(0, name_end) != name) continue;
    CopyMark mark{.role = role, .other = std::string(text.substr(token_end + 1))};
    std::from_chars(text.data() + name_end + 1, text.data() + token_end, mark.token);
    return mark;
  }
  return Error{ErrorCode::kUnsupported, "a newer hookswitch has copied it: run that version or a later one"};
}

Status CheckUsable(std::string_view text) {
  const auto mark = CopyMark::Parse(text);
  if (!mark) return mark.error();
  switch (mark->role) {
    case CopyMark::Role::kNone: return Ok();
    case CopyMark::Role::kCopying:
      return Error{ErrorCode::kUnavailable,
                   "it is being copied to " + mark->other +
                       ", and what is pending would be sent twice: repeat the `hookswitch journal copy` until it is "
                       "done, or end it with --give-up"};
    case CopyMark::Role::kMoved:
      return Error{ErrorCode::kUnavailable, "it was moved to " + mark->other +
                                                ", and what was pending would be sent twice: name that journal in the "
                                                "config, or move it back with `hookswitch journal copy`"};
    case CopyMark::Role::kUnfinished:
      return Error{ErrorCode::kUnavailable, "it is a copy of " + mark->other +
                                                " that is not finished: repeat the `hookswitch journal copy` until it "
                                                "is done, or name another journal in the config"};
  }
  Unreachable();
}

}  // namespace hookswitch
