#include "core/sources/form.h"

#include <algorithm>
#include <optional>

#include "core/base/query_string.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

using payload::Document;

// RFC 2046 5.1.1.
constexpr std::size_t kLongestBoundary = 70;
constexpr std::size_t kMaxPartHeaders = 8 << 10;

/// Collects the fields of a form.
class Fields {
 public:
  explicit Fields(Document& document) : object_(document.storage()) {}

  bool full() const { return count_ >= payload::kMaxMembers; }
  bool mended() const { return mended_; }
  json::object Take() { return std::move(object_); }

  void Add(std::string_view name, std::string_view value) {
    if (full()) return;
    ++count_;
    std::string better_name, better_value;
    Mend(name, better_name);
    Mend(value, better_value);
    const auto [field, is_new] = object_.emplace(name, json::value(json::string_view(value), object_.storage()));
    if (is_new) return;
    json::value& earlier = field->value();
    if (!earlier.is_array()) {
      json::array values(object_.storage());
      values.push_back(std::move(earlier));
      earlier = std::move(values);
    }
    earlier.get_array().emplace_back(json::string_view(value));
  }

 private:
  void Mend(std::string_view& text, std::string& better) {
    if (IsUtf8(text)) return;
    better = ToUtf8(text);
    text = better;
    mended_ = true;
  }

  json::object object_;
  std::size_t count_ = 0;
  bool mended_ = false;
};

void ReadUrlEncoded(std::string_view body, Fields& fields) {
  while (!fields.full()) {
    const auto field = TakeParameter(body);
    if (!field) return;
    fields.Add(FormDecoded(field->name), FormDecoded(field->value.value_or("")));
  }
}

std::string_view TakeLine(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// The parameter `name` of a header's value: form-data; name="a b"; filename=x. Quoted texts are unescaped as browsers
/// and RFC 7578 write them. Empty if there is none.
std::optional<std::string> HeaderParameter(std::string_view value, std::string_view name) {
  value.remove_prefix(std::min(value.find(';'), value.size()));
  while (!value.empty()) {
    value.remove_prefix(1);
    const auto equals = value.find_first_of("=;");
    if (equals == std::string_view::npos) return {};
    const bool is_it = EqualsIgnoreCase(Trim(value.substr(0, equals)), name);
    const bool has_value = value[equals] == '=';
    value.remove_prefix(equals);
    if (!has_value) continue;
    value.remove_prefix(1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    std::string text;
    if (value.starts_with('"')) {
      std::size_t i = 1;
      for (; i < value.size() && value[i] != '"'; ++i) {
        // Internet Explorer's paths have backslashes that escape nothing.
        if (value[i] == '\\' && i + 1 < value.size() && (value[i + 1] == '"' || value[i + 1] == '\\')) ++i;
        text += value[i];
      }
      value.remove_prefix(std::min(i + 1, value.size()));
      value.remove_prefix(std::min(value.find(';'), value.size()));
    } else {
      const auto end = std::min(value.find(';'), value.size());
      text = Trim(value.substr(0, end));
      value.remove_prefix(end);
    }
    if (is_it) return text;
  }
  return {};
}

/// What stands after the next line that begins with "--" and `boundary`, and what stood before it, without the line
/// break that belongs to the delimiter. False if there is none.
bool TakeUntilDelimiter(std::string_view& text, std::string_view boundary, std::string_view& before) {
  const std::string delimiter = "--" + std::string(boundary);
  for (std::size_t at = text.find(delimiter); at != std::string_view::npos; at = text.find(delimiter, at + 1)) {
    if (at != 0 && text[at - 1] != '\n') continue;
    std::string_view rest = text.substr(at + delimiter.size());
    if (!rest.starts_with("--") && !Trim(TakeLine(rest)).empty()) continue;
    before = text.substr(0, at);
    if (before.ends_with('\n')) before.remove_suffix(1);
    if (before.ends_with('\r')) before.remove_suffix(1);
    text.remove_prefix(at + delimiter.size());
    return true;
  }
  return false;
}

void AddPart(std::string_view part, Fields& fields) {
  std::optional<std::string> name;
  const std::size_t whole = part.size();
  for (std::string_view line = TakeLine(part); !line.empty(); line = TakeLine(part)) {
    if (whole - part.size() > kMaxPartHeaders) return;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !EqualsIgnoreCase(Trim(line.substr(0, colon)), "content-disposition")) {
      continue;
    }
    const std::string_view value = line.substr(colon + 1);
    if (HeaderParameter(value, "filename") || HeaderParameter(value, "filename*")) return;
    name = HeaderParameter(value, "name");
  }
  if (name) fields.Add(*name, part);
}

// Preamble and epilogue are ignored (RFC 2046 5.1.1).
Status ReadMultipart(std::string_view body, std::string_view content_type, Fields& fields) {
  std::string boundary = HeaderParameter(content_type, "boundary").value_or("");
  if (boundary.empty() && body.starts_with("--")) {
    std::string_view rest = body.substr(2);
    boundary = Trim(TakeLine(rest));
  }
  if (boundary.empty() || boundary.size() > kLongestBoundary) {
    return Error{ErrorCode::kInvalid, "a multipart form without a boundary"};
  }
  const Error cut{ErrorCode::kInvalid, "the form ends too early"};
  std::string_view part;
  if (!TakeUntilDelimiter(body, boundary, part)) return cut;
  while (!body.starts_with("--")) {
    (void)TakeLine(body);
    if (!TakeUntilDelimiter(body, boundary, part)) return cut;
    AddPart(part, fields);
  }
  return Ok();
}

}  // namespace

FormKind FormKindOf(std::string_view content_type) {
  const std::string_view type = Trim(content_type.substr(0, content_type.find(';')));
  if (EqualsIgnoreCase(type, "application/x-www-form-urlencoded")) return FormKind::kUrlEncoded;
  if (EqualsIgnoreCase(type, "multipart/form-data")) return FormKind::kMultipart;
  return FormKind::kNone;
}

FormKind FormKindOf(std::string_view body, std::string_view content_type) {
  const FormKind said = FormKindOf(content_type);
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return said;
  const char c = body[first];
  if (c == '{' || c == '[' || c == '"' || c == '\xEF') return FormKind::kNone;
  if (said != FormKind::kNone) return said;
  if (body.starts_with("--")) return FormKind::kMultipart;
  // No other JSON has a member: 12, true, null.
  return body.find('=') == std::string_view::npos ? FormKind::kNone : FormKind::kUrlEncoded;
}

Result<const json::value*> ReadForm(std::string_view body, std::string_view content_type, Document& document) {
  Fields fields(document);
  if (FormKindOf(body, content_type) == FormKind::kMultipart) {
    HSW_TRY(ReadMultipart(body, content_type, fields));
  } else {
    ReadUrlEncoded(body, fields);
  }
  if (fields.full())
    document.NoteMended("only the first " + std::to_string(payload::kMaxMembers) + " fields were read");
  if (fields.mended()) document.NoteMended("bytes that are no UTF-8 were read as U+FFFD");
  return document.Keep(json::value(fields.Take()));
}

}  // namespace hookswitch
