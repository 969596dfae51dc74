#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hookswitch {

/// What a journal says of a copy of it, or into it. While it says anything no router may use it, or what is pending
/// would go out twice. Kept in its table meta.
struct CopyMark {
  enum class Role : std::uint8_t {
    kNone,
    kCopying,     ///< is being copied to `other`
    kMoved,       ///< was copied to `other`, which routers use instead; for good
    kUnfinished,  ///< is a copy of `other` that has not all of it
  };
  Role role = Role::kNone;
  std::int64_t token = 0;  ///< the same in both journals of one copy
  std::string other;       ///< the other journal, for people; holds no password

  static constexpr std::string_view kKey = "copy";  ///< of the row in meta
  /// The row's value; UTF-8. "" for kNone.
  std::string ToText() const;
  /// Errors: kUnsupported (a newer hookswitch wrote it).
  static Result<CopyMark> Parse(std::string_view text);
};

/// Ok if a router may use a journal whose mark is `text`. Errors: kUnavailable, kUnsupported; they say where its
/// content is and what to do.
Status CheckUsable(std::string_view text);

}  // namespace hookswitch
