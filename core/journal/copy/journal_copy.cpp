#include "core/journal/copy/journal_copy.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/journal/copy/copy_end.h"

namespace hookswitch {
namespace {

constexpr std::string_view kProgressKey = "copy_progress";  ///< of the row in the target's meta
/// Of one step; rows are as many as were about so long until now.
constexpr std::size_t kBytesPerStep = std::size_t{8} << 20;

std::size_t BytesOf(const CopyRow& row) {
  std::size_t bytes = 0;
  for (const CopyValue& value : row) {
    const auto* text = std::get_if<std::string>(&value);
    bytes += text != nullptr ? text->size() : sizeof(std::int64_t);
  }
  return bytes;
}

std::uint64_t SumOfRow(const CopyRow& row) {
  std::uint64_t sum = 0;
  for (const CopyValue& value : row) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      sum = MixIn(sum, *text);
    } else {
      const std::int64_t number = std::get<std::int64_t>(value);
      sum = MixIn(sum, {reinterpret_cast<const char*>(&number), sizeof number});
    }
  }
  return sum;
}

/// How much of a table was read.
struct Progress {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;  ///< of the rows' sums, in whatever order they come
  CopyRow last;           ///< CopyPage::last

  void Add(const CopyPage& page) {
    rows += static_cast<std::int64_t>(page.rows.size());
    for (const CopyRow& row : page.rows) sum += SumOfRow(row);
    last = page.last;
  }
  bool IsSame(const Progress& other) const { return rows == other.rows && sum == other.sum; }
};
using AllProgress = std::map<std::string, Progress, std::less<>>;

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4];
    hex += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return hex;
}

std::string BytesOfHex(std::string_view hex) {
  std::string bytes;
  for (; hex.size() >= 2; hex.remove_prefix(2)) {
    unsigned char byte = 0;
    std::from_chars(hex.data(), hex.data() + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

/// A line for each table: name, rows, sum, and its key with i before a number and x before bytes.
std::string ToText(const AllProgress& all) {
  std::ostringstream text;
  for (const auto& [table, progress] : all) {
    text << table << ' ' << progress.rows << ' ' << progress.sum;
    for (const CopyValue& value : progress.last) {
      if (const auto* bytes = std::get_if<std::string>(&value)) {
        text << " x" << Hex(*bytes);
      } else {
        text << " i" << std::get<std::int64_t>(value);
      }
    }
    text << '\n';
  }
  return text.str();
}

AllProgress ParseProgress(const std::string& text) {
  AllProgress all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string table, value;
    words >> table;
    Progress& progress = all[table];
    words >> progress.rows >> progress.sum;
    while (words >> value) {
      const std::string_view rest = std::string_view(value).substr(1);
      std::int64_t number = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), number);
      progress.last.push_back(value[0] == 'x' ? CopyValue(BytesOfHex(rest)) : CopyValue(number));
    }
  }
  return all;
}

/// Reads the rest of `table`, a page at a time.
template <class Use>
Status ReadRest(CopyEnd& end, const CopyTable& table, std::size_t most_rows, Progress& progress, Use use) {
  std::size_t limit = std::min<std::size_t>(most_rows, 64);
  for (;;) {
    const auto page = end.Read(table, progress.last, limit);
    if (!page) return page.error();
    if (page->rows.empty()) return Ok();
    progress.Add(*page);
    HSW_TRY(use(*page));
    std::size_t bytes = 1;
    for (const CopyRow& row : page->rows) bytes += BytesOf(row);
    limit = std::clamp<std::size_t>(kBytesPerStep * page->rows.size() / bytes, 1, most_rows);
  }
}

Result<CopyMark> MarkOf(CopyEnd& end) {
  const auto text = end.LoadMeta(CopyMark::kKey);
  if (!text) return text.error();
  auto mark = CopyMark::Parse(*text);
  if (!mark) return Error{mark.error().code, end.Name() + ": " + mark.error().message};
  return mark;
}

/// Why a journal with `mark` is not to be used.
Error Unusable(const CopyEnd& end, const CopyMark& mark) {
  const Status usable = CheckUsable(mark.ToText());
  return {ErrorCode::kInvalid, end.Name() + ": " + (usable ? "it is in use" : usable.error().message)};
}

class Copier {
 public:
  Copier(CopyEnd& source, CopyEnd& target, const CopyTuning& tuning)
      : source_(source), target_(target), tuning_(tuning) {}

  Result<CopyReport> Run() {
    report_.from = source_.Name();
    report_.to = target_.Name();
    const auto mark = MarkOf(source_);
    if (!mark) return mark.error();
    if (mark->role == CopyMark::Role::kMoved) return FinishMoved(*mark);
    HSW_TRY(Begin(*mark));
    HSW_TRY(CopyAll());
    HSW_TRY(Check());
    HSW_TRY(target_.DropReadIndex());
    // In this order: given up between, or killed, there is never a moment in which a router may use both.
    HSW_TRY(Mark(source_, CopyMark::Role::kMoved, report_.to));
    HSW_TRY(Release());
    return report_;
  }

 private:
  /// Both are marked after it, or it was not to be.
  Status Begin(const CopyMark& source) {
    const bool is_begun = source.role == CopyMark::Role::kCopying;
    if (source.role == CopyMark::Role::kUnfinished) return Unusable(source_, source);
    const auto target = MarkOf(target_);
    if (!target) return target.error();
    if (is_begun && target->role == CopyMark::Role::kUnfinished && target->token == source.token) {
      token_ = source.token;
      return Ok();
    }
    if (is_begun && source.other != ToUtf8(report_.to)) return Unusable(source_, source);
    const auto content = target_.FindContent();
    if (!content) return content.error();
    std::string has;
    if (!content->empty()) has = "its table " + *content + " has rows";
    if (target->role == CopyMark::Role::kUnfinished) has = "it has part of a copy of " + target->other;
    if (target->role == CopyMark::Role::kMoved) has = "it has what was moved to " + target->other;
    if (target->role == CopyMark::Role::kCopying) has = "it is being copied to " + target->other;
    if (!has.empty()) {
      return Error{ErrorCode::kInvalid, report_.to + " is not empty: " + has +
                                            "; name a file that does not exist, or a schema of its own for the copy"};
    }
    token_ = is_begun ? source.token : NewToken();
    if (!is_begun) HSW_TRY(Mark(source_, CopyMark::Role::kCopying, report_.to));
    return Mark(target_, CopyMark::Role::kUnfinished, report_.from);
  }

  /// After the last change of the source.
  Result<CopyReport> FinishMoved(const CopyMark& source) {
    const auto target = MarkOf(target_);
    if (!target) return target.error();
    report_.was_done = true;
    if (target->role == CopyMark::Role::kUnfinished && target->token == source.token) {
      HSW_TRY(Release());
      return report_;
    }
    if (target->role == CopyMark::Role::kUnfinished) return Unusable(target_, *target);
    if (source.other != ToUtf8(report_.to)) return Unusable(source_, source);
    return report_;
  }

  Status CopyAll() {
    const auto kept = target_.LoadMeta(kProgressKey);
    if (!kept) return kept.error();
    copied_ = ParseProgress(*kept);
    for (const CopyTable& table : CopyTables()) {
      Progress& progress = copied_[std::string(table.name)];
      HSW_TRY(ReadRest(source_, table, tuning_.most_rows, progress, [&](const CopyPage& page) -> Status {
        HSW_TRY(Step());
        return target_.Write(table, page.rows, kProgressKey, ToText(copied_));
      }));
      if (tuning_.on_table) tuning_.on_table(table.name, progress.rows);
    }
    report_.events = copied_["event"].rows;
    report_.deliveries = copied_["delivery"].rows;
    report_.attempts = copied_["attempt"].rows;
    const auto numbers = source_.LoadNumbers();
    if (!numbers) return numbers.error();
    HSW_TRY(Step());
    return target_.Complete(*numbers);
  }

  /// That what is in the target now is what was read from the source.
  Status Check() {
    for (const CopyTable& table : CopyTables()) {
      Progress found;
      HSW_TRY(ReadRest(target_, table, tuning_.most_rows, found, [](const CopyPage&) { return Ok(); }));
      const Progress& copied = copied_[std::string(table.name)];
      if (found.IsSame(copied)) continue;
      return Error{ErrorCode::kInternal,
                   "table " + std::string(table.name) + ": " + std::to_string(copied.rows) + " rows of " +
                       report_.from + " were copied, " + std::to_string(found.rows) + " are in " + report_.to +
                       (found.rows == copied.rows ? ", but not the same" : "") +
                       "; nothing is lost: end the copy with --give-up and begin anew, into an empty journal"};
    }
    return Ok();
  }

  /// Routers may use the target after it.
  Status Release() {
    HSW_TRY(Step());
    HSW_TRY(target_.SaveMeta(kProgressKey, ""));
    HSW_TRY(Step());
    return target_.SaveMeta(CopyMark::kKey, "");
  }

  Status Mark(CopyEnd& end, CopyMark::Role role, const std::string& other) {
    HSW_TRY(Step());
    return end.SaveMeta(CopyMark::kKey, CopyMark{.role = role, .token = token_, .other = other}.ToText());
  }
  Status Step() const {
    if (!tuning_.before_step || tuning_.before_step()) return Ok();
    return Error{ErrorCode::kUnavailable, "the copy was ended"};
  }
  static std::int64_t NewToken() {
    std::random_device random;
    return static_cast<std::int64_t>(std::uint64_t{random()} << 31 ^ random());
  }

  CopyEnd& source_;
  CopyEnd& target_;
  const CopyTuning& tuning_;
  CopyReport report_;
  std::int64_t token_ = 0;
  AllProgress copied_;
};

Result<std::unique_ptr<CopyEnd>> OpenEnd(const CopyPlace& place, CopySide side, const Clock& clock,
                                         const CopyTuning& tuning) {
  if (!place.path.empty()) return OpenSqliteCopyEnd(place.path, side);
  return OpenPostgresCopyEnd(place.url, place.schema, side, tuning.lease, clock);
}

}  // namespace

Result<CopyReport> CopyJournal(const CopyPlace& from, const CopyPlace& to, const Clock& clock,
                               const CopyTuning& tuning) {
  if (from.path.empty() == to.path.empty()) {
    return Error{ErrorCode::kInvalid, from.path.empty()
                                          ? "both are in PostgreSQL, whose own tools copy a schema: pg_dump -n"
                                          : "both are SQLite files: `hookswitch backup` copies one"};
  }
  const auto source = OpenEnd(from, CopySide::kSource, clock, tuning);
  if (!source) return source.error();
  const auto mark = MarkOf(**source);
  if (!mark) return mark.error();
  // One that was moved has its target already.
  const bool is_moved = mark->role == CopyMark::Role::kMoved;
  const auto target = OpenEnd(to, is_moved ? CopySide::kSource : CopySide::kTarget, clock, tuning);
  if (!target && target.error().code == ErrorCode::kInvalid && is_moved) return Unusable(**source, *mark);
  if (!target) return target.error();
  return Copier(**source, **target, tuning).Run();
}

Result<std::string> GiveUpCopy(const CopyPlace& from, const Clock& clock, const CopyTuning& tuning) {
  const auto source = OpenEnd(from, CopySide::kSource, clock, tuning);
  if (!source) return source.error();
  const auto mark = MarkOf(**source);
  if (!mark) return mark.error();
  if (mark->role == CopyMark::Role::kNone) {
    return Error{ErrorCode::kInvalid, (*source)->Name() + " is not being copied"};
  }
  if (mark->role != CopyMark::Role::kCopying) return Unusable(**source, *mark);
  HSW_TRY((*source)->DropReadIndex());
  HSW_TRY((*source)->SaveMeta(CopyMark::kKey, ""));
  return mark->other;
}

}  // namespace hookswitch
