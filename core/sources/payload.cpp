#include "core/sources/payload.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <new>

#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/json_builder.h"

namespace hookswitch::payload {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

std::string_view View(const json::string& text) {
  return {text.data(), text.size()};
}

Document::Place PlaceOf(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  std::size_t line = 1, start = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == '\n') {
      ++line;
      start = i + 1;
    }
  }
  return {line, CodePoints(before.substr(start)) + 1};
}

std::string Explain(const json::error_code& error, std::string_view text, std::size_t offset) {
  if (error == json::error::incomplete) return text.empty() ? "the body is empty" : "the JSON ends too early";
  if (error == json::error::extra_data) return "more text after the end of the JSON";
  if (error == json::error::too_deep) return "nested deeper than " + std::to_string(kMaxDepth) + " levels";
  if (error == json::error::exponent_overflow) return "a number too large";
  if (error == json::error::object_too_large)
    return "an object of more than " + std::to_string(kMaxMembers) + " members";
  if (error == json::error::syntax && !IsUtf8(text.substr(0, offset + 4)) && !IsUtf8(text)) return "not UTF-8";
  if (error == json::error::syntax) return "not JSON";
  return error.message();
}

// `text` with every \uXXXX that is an unpaired surrogate replaced by \uFFFD.
std::string MendSurrogates(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    if (out[i] != '\\') continue;
    if (IsJsonPairAt(out, i)) {
      i += 2 * kJsonEscape - 1;
      continue;
    }
    const std::uint32_t unit = JsonEscapeAt(out, i).value_or(0);
    if (unit >= 0xD800 && unit < 0xE000) out.replace(i + 2, 4, "FFFD");
    i += unit != 0 ? kJsonEscape - 1 : 1;
  }
  return out;
}

// `text` with every NaN, Infinity and -Infinity outside of strings replaced by null.
std::string MendNumbers(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < text.size()) out += text[++i];
      in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    std::size_t word = 0;
    for (const std::string_view one : {"NaN", "-Infinity", "Infinity", "-NaN", "+Infinity"}) {
      if (word == 0 && text.substr(i).starts_with(one)) word = one.size();
    }
    if (word == 0) {
      out += c;
    } else {
      out += "null";
      i += word - 1;
    }
  }
  return out;
}

bool IsControl(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20) return c != '\n' && c != '\t';
  if (c < 0x7F) return false;
  // DEL, and U+0080 to U+009F.
  if (c == 0x7F) return true;
  return c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
}

std::string WholeNumber(double number) {
  if (number == 0) return "0";
  return std::to_string(static_cast<std::int64_t>(number));
}

}  // namespace

// Separate buffers: the parser builds arrays and objects in `stack` before it moves them into `values`.
struct Document::Scratch {
  std::array<unsigned char, 64 << 10> values;
  std::array<unsigned char, 16 << 10> stack;
  bool in_use = false;
};

Document::Scratch& Document::ThreadScratch() {
  static thread_local const std::unique_ptr<Scratch> scratch(new Scratch);
  return *scratch;
}

Document::Document() : scratch_(ThreadScratch()), arena_(scratch_.values.data(), scratch_.values.size()) {
  HSW_CHECK(!scratch_.in_use, "a source reads one request at a time on a thread");
  scratch_.in_use = true;
}

Document::~Document() {
  scratch_.in_use = false;
}

const json::value* Document::Keep(json::value&& value) {
  return new (arena_.allocate(sizeof(json::value), alignof(json::value))) json::value(std::move(value), storage());
}

void Document::NoteMended(std::string_view what) {
  if (mended_.find(what) != std::string::npos) return;
  if (!mended_.empty()) mended_ += "; ";
  mended_ += what;
}

Result<const json::value*> Document::Parse(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  std::size_t consumed = 0;
  auto parse = [&](std::string_view from) -> const json::value* {
    error.clear();
    json::basic_parser<JsonBuilder<kMaxMembers>> parser(options, scratch_.stack, arena_);
    consumed = parser.write_some(false, from.data(), from.size(), error);
    if (!error && consumed < from.size()) error = json::error::extra_data;
    return error ? nullptr : Keep(parser.handler().Release());
  };
  const json::value* value = parse(text);
  if (value) return value;
  const std::size_t place = consumed;
  const json::error_code first_error = error;
  std::string mended(text);
  std::string what;
  const auto mend = [&](std::string better, std::string_view so) {
    if (better == mended) return;
    what += what.empty() ? "" : "; ";
    what += so;
    mended = std::move(better);
  };
  if (!IsUtf8(mended)) mend(ToUtf8(mended), "bytes that are no UTF-8 were read as U+FFFD");
  // The parser reports a lone surrogate as one of several errors, at different places.
  mend(MendSurrogates(mended), "half of a character was read as U+FFFD");
  mend(MendNumbers(mended), "NaN or Infinity was read as null");
  if (!what.empty()) value = parse(mended);
  if (value) {
    NoteMended(what);
    return value;
  }
  consumed = place;
  error = first_error;
  failed_at_ = PlaceOf(text, consumed);
  return Error{ErrorCode::kInvalid, "line " + std::to_string(failed_at_.line) + ", column " +
                                        std::to_string(failed_at_.column) + ": " + Explain(error, text, consumed)};
}

bool IsTestOfAHook(const json::object& body) {
  static constexpr std::array<std::string_view, 6> kKeys = {"ping", "test", "type", "event", "message", "timestamp"};
  return std::all_of(body.begin(), body.end(), [](const auto& member) {
    return std::find(kKeys.begin(), kKeys.end(), std::string_view(member.key().data(), member.key().size())) !=
           kKeys.end();
  });
}

const json::value* Find(const json::object* object, std::string_view key) {
  if (!object) return nullptr;
  const json::value* value = object->if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

const json::object* FindObject(const json::object* object, std::string_view key) {
  const json::value* value = Find(object, key);
  return value ? value->if_object() : nullptr;
}

std::string Clean(std::string_view text, std::size_t max_bytes) {
  bool cut = false;
  if (text.size() > max_bytes) {
    std::size_t end = max_bytes > kEllipsis.size() ? max_bytes - kEllipsis.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
    cut = true;
  }
  std::string out;
  out.reserve(text.size() + (cut ? kEllipsis.size() : 0));
  std::size_t clean_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsControl(text, i)) continue;
    out += text.substr(clean_from, i - clean_from);
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) out += '\n';
    if (static_cast<unsigned char>(text[i]) == 0xC2) ++i;
    clean_from = i + 1;
  }
  out += text.substr(clean_from);
  if (cut) out += kEllipsis;
  return out;
}

std::string Text(const json::value* value, std::size_t max_bytes) {
  if (!value) return {};
  switch (value->kind()) {
    case json::kind::string: return Clean(Trim(View(value->get_string())), max_bytes);
    case json::kind::bool_: return value->get_bool() ? "true" : "false";
    case json::kind::int64: return std::to_string(value->get_int64());
    case json::kind::uint64: return std::to_string(value->get_uint64());
    case json::kind::double_: {
      const double number = value->get_double();
      if (!std::isfinite(number)) return {};
      if (std::trunc(number) == number && std::fabs(number) <= kLargestExactWhole) return WholeNumber(number);
      return ToText(*value);
    }
    case json::kind::null:
    case json::kind::array:
    case json::kind::object: return {};
  }
  Unreachable();
}

std::string AnyText(const json::value* value, std::size_t max_bytes) {
  if (!value || value->is_primitive() || value->is_string()) return Text(value, max_bytes);
  return Clean(ToText(*value), max_bytes);
}

DataValue AnyData(const json::value* value, std::size_t max_bytes) {
  using Kind = DataValue::Kind;
  const bool is_number = value && value->is_number(), is_bool = value && value->is_bool();
  return {AnyText(value, max_bytes), is_number ? Kind::kNumber : is_bool ? Kind::kBoolean : Kind::kText};
}

bool SaysNothing(std::string_view text) {
  return text.empty() || text == "null";
}

std::optional<double> Number(const json::value* value) {
  if (!value) return {};
  double number = 0;
  if (const auto* text = value->if_string()) {
    const std::string_view digits = Trim(View(*text));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return {};
  } else if (value->is_double()) {
    number = value->get_double();
  } else if (value->is_int64()) {
    number = static_cast<double>(value->get_int64());
  } else if (value->is_uint64()) {
    number = static_cast<double>(value->get_uint64());
  } else {
    return {};
  }
  if (!std::isfinite(number)) return {};
  return number;
}

std::optional<std::int64_t> Integer(const json::value* value) {
  if (value && value->is_int64()) return value->get_int64();
  const auto number = Number(value);
  if (!number || std::trunc(*number) != *number || std::fabs(*number) > kLargestExactWhole) return {};
  return static_cast<std::int64_t>(*number);
}

std::optional<bool> Flag(const json::value* value) {
  if (!value) return {};
  if (value->is_bool()) return value->get_bool();
  const std::string text = Text(value, 8);
  if (text == "1" || EqualsIgnoreCase(text, "true")) return true;
  if (text == "0" || EqualsIgnoreCase(text, "false")) return false;
  return {};
}

std::string Url(const json::value* value) {
  std::string url = Text(value, kMaxValueBytes + 1);
  return HasWebScheme(url) && url.size() <= kMaxValueBytes ? url : "";
}

std::optional<WallTime> Time(const json::value* value) {
  const auto* text = value ? value->if_string() : nullptr;
  if (!text) return {};
  return ParseTime(Trim(View(*text)));
}

}  // namespace hookswitch::payload
