#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/sources/payload.h"

namespace hookswitch {

enum class FormKind : std::uint8_t { kNone, kUrlEncoded, kMultipart };

/// What `content_type` says of a body.
FormKind FormKindOf(std::string_view content_type);
/// What `body` is, by its Content-Type ("" if unknown), else by its first bytes. What begins as JSON is JSON whatever
/// the type says: curl calls every body a form.
FormKind FormKindOf(std::string_view body, std::string_view content_type);

/// A form as an object of texts; a name that is repeated has a list of them. Lives as long as the document.
///
/// Uploaded files are left out, and what is beyond kMaxMembers values. Bytes that are no UTF-8 become U+FFFD. Error:
/// kInvalid, for a multipart form that has no boundary or does not end; it quotes nothing of the body.
Result<const json::value*> ReadForm(std::string_view body, std::string_view content_type, payload::Document& document);

}  // namespace hookswitch
