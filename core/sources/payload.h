#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/event/call_event.h"

/// Lenient readers of foreign JSON, for all sources. Platforms drift (a number becomes a string, an object becomes
/// null), and a rejected event is a lost alert; so each reader accepts every spelling that has one meaning, and
/// anything else is absent.
namespace hookswitch::payload {

/// JSON that is nested deeper, or has an object with more members, is rejected.
inline constexpr std::size_t kMaxDepth = 32, kMaxMembers = 1024;
/// Limits of `data` and `meta`: the rest is cut or left out (the raw body is stored with the event).
inline constexpr std::size_t kMaxEntries = 256, kMaxKeyBytes = 256, kMaxValueBytes = 4096;

/// Every whole double up to here is exact, so printing it shows what was sent.
inline constexpr double kLargestExactWhole = 9007199254740992.0;
/// Three years: no call is longer, and what is computed from a duration cannot overflow.
inline constexpr double kLongestCallSeconds = 1e8;
inline constexpr double kLargestAmount = 1e12;
inline constexpr std::size_t kMaxWordBytes = 256, kMaxSummaryBytes = 64 << 10;

/// The parsed JSON of one request.
///
/// Values live in a buffer of the thread that its next Document reuses; what a huge body needs beyond that is freed
/// with the Document. At most one Document per thread at a time.
class Document {
 public:
  Document();
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// Parses one JSON text; the value lives as long as the Document. Of duplicate keys the last one wins. A lone
  /// surrogate (an emoji cut by the sender) and invalid UTF-8 become U+FFFD, NaN and Infinity null. Error: kInvalid,
  /// with the place and what is wrong: "line 1, column 57: …"; it quotes nothing of the text.
  Result<const json::value*> Parse(std::string_view text);
  /// Where values of the document live.
  json::storage_ptr storage() { return &arena_; }
  /// `value`, which is in storage(), for as long as the document lives.
  const json::value* Keep(json::value&& value);
  /// Adds to mended().
  void NoteMended(std::string_view what);
  /// What had to be repaired to read it, for people; "" for nothing.
  const std::string& mended() const { return mended_; }
  struct Place {
    std::size_t line = 0, column = 0;  ///< from 1; columns count characters
  };
  /// Where Parse has failed.
  Place failed_at() const { return failed_at_; }

 private:
  struct Scratch;
  static Scratch& ThreadScratch();

  Scratch& scratch_;
  std::string mended_;
  Place failed_at_;
  json::monotonic_resource arena_;
};

/// True for what platforms post to test a URL: {}, or nothing but `ping`, `test`, `type`, `event`, `message` and
/// `timestamp`.
bool IsTestOfAHook(const json::object& body);

/// The member `key`; nullptr if `object` is nullptr, or the member is absent or null.
const json::value* Find(const json::object* object, std::string_view key);
/// The member `key` if it is an object, else nullptr.
const json::object* FindObject(const json::object* object, std::string_view key);

/// `text` (well-formed UTF-8) without control characters other than '\n' and '\t'; CR LF and CR become '\n'. At most
/// `max_bytes`, cut between characters and marked with "…".
std::string Clean(std::string_view text, std::size_t max_bytes);

/// A string (trimmed and cleaned), number or bool as text; "" for nullptr and anything else. Whole numbers have no
/// exponent.
std::string Text(const json::value* value, std::size_t max_bytes = kMaxValueBytes);
/// Like Text, and arrays and objects as one line of JSON.
std::string AnyText(const json::value* value, std::size_t max_bytes = kMaxValueBytes);
/// AnyText, with what it was.
DataValue AnyData(const json::value* value, std::size_t max_bytes = kMaxValueBytes);
/// True for "" and "null", which platforms write for an absent value.
bool SaysNothing(std::string_view text);

/// 27.2, 28, "28", "27.2", "0.0"; empty for anything else, infinity and NaN included.
std::optional<double> Number(const json::value* value);
/// Whole numbers that fit, also written as 3.0 or "3".
std::optional<std::int64_t> Integer(const json::value* value);
/// true, false, "true", "False", 1, 0.
std::optional<bool> Flag(const json::value* value);
/// An http or https URL of at most kMaxValueBytes; "" for anything else.
std::string Url(const json::value* value);
/// ISO 8601 text; without a zone it is UTC.
std::optional<WallTime> Time(const json::value* value);

}  // namespace hookswitch::payload
