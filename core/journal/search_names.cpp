#include "core/journal/search_names.h"

#include <algorithm>

#include "core/journal/rows.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMostPaths = 1000;
constexpr std::size_t kCodedBytes = 10;

std::string KeyOf(NameKind kind, std::string_view text) {
  return static_cast<char>(kind) + std::string(text);
}

void AppendNumber(std::string& code, std::int64_t number) {
  for (int shift = 0; shift < 32; shift += 8) code += static_cast<char>(number >> shift & 0xff);
}

std::int64_t NumberAt(std::string_view code, std::size_t at) {
  std::int64_t number = 0;
  for (std::size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(code[at + i]);
  return number;
}

}  // namespace

std::string CodeOf(std::vector<CodedDelivery> deliveries) {
  std::ranges::sort(deliveries);
  deliveries.erase(std::unique(deliveries.begin(), deliveries.end()), deliveries.end());
  std::string code;
  for (const CodedDelivery& delivery : deliveries) {
    AppendNumber(code, delivery.sink);
    AppendNumber(code, delivery.rule);
    code += static_cast<char>(delivery.state);
    code += static_cast<char>(delivery.was_replayed);
  }
  return code;
}

std::vector<CodedDelivery> DeliveriesIn(std::string_view code) {
  std::vector<CodedDelivery> deliveries;
  for (; code.size() >= kCodedBytes; code.remove_prefix(kCodedBytes)) {
    const auto state = StateOf(code[8]);
    if (!state) continue;
    deliveries.push_back({NumberAt(code, 0), NumberAt(code, 4), *state, code[9] != 0});
  }
  return deliveries;
}

Status SearchNames::Use(Database& db) {
  Release();
  db_ = &db;
  const std::pair<Statement*, std::string_view> statements[] = {
      {&sql_.add, "INSERT INTO value(kind, text, events, last_ms) VALUES(?, ?, 0, 0)"},
      {&sql_.count, "UPDATE value SET events = events + ?2, last_ms = max(last_ms, ?3) WHERE id = ?1"},
      {&sql_.add_outcome, "INSERT INTO outcome(code, events) VALUES(?, 0)"},
      {&sql_.count_outcome, "UPDATE outcome SET events = events + ?2 WHERE id = ?1"},
      {&sql_.remove, "DELETE FROM value WHERE kind <= ? AND events <= 0"},
      {&sql_.remove_paths,
       "DELETE FROM value WHERE kind = ? AND last_ms < "
       "ifnull((SELECT received_ms FROM doc ORDER BY seq LIMIT 1), 9223372036854775807)"},
      {&sql_.remove_outcomes, "DELETE FROM outcome WHERE events <= 0"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = db.Prepare(text);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return Reload();
}

void SearchNames::Release() {
  sql_ = {};
  db_ = nullptr;
}

Status SearchNames::Reload() {
  numbers_.clear();
  outcomes_.clear();
  changes_.clear();
  outcome_changes_.clear();
  paths_ = 0;
  auto values = db_->Prepare("SELECT id, kind, text FROM value");
  if (!values) return values.error();
  for (;;) {
    const auto row = values->Next();
    if (!row) return row.error();
    if (!*row) break;
    const auto kind = static_cast<NameKind>(values->Int(1));
    numbers_.emplace(KeyOf(kind, values->Bytes(2)), values->Int(0));
    if (kind == NameKind::kPath) ++paths_;
  }
  auto outcomes = db_->Prepare("SELECT id, code FROM outcome");
  if (!outcomes) return outcomes.error();
  for (;;) {
    const auto row = outcomes->Next();
    if (!row) return row.error();
    if (!*row) return Ok();
    outcomes_.emplace(outcomes->Bytes(1), outcomes->Int(0));
  }
}

Result<std::int64_t> SearchNames::NumberOf(NameKind kind, std::string_view text) {
  if (text.empty()) return 0;
  std::string key = KeyOf(kind, text);
  if (const auto found = numbers_.find(key); found != numbers_.end()) return found->second;
  if (kind == NameKind::kPath && paths_ >= kMostPaths) return 0;
  HSW_TRY(sql_.add.Bind(static_cast<int>(kind), text).Run());
  const std::int64_t number = db_->LastInsertRowid();
  numbers_.emplace(std::move(key), number);
  if (kind == NameKind::kPath) ++paths_;
  return number;
}

Result<std::int64_t> SearchNames::OutcomeNumber(std::string_view code) {
  if (const auto found = outcomes_.find(std::string(code)); found != outcomes_.end()) return found->second;
  HSW_TRY(sql_.add_outcome.Bind(Statement::Blob{code}).Run());
  const std::int64_t number = db_->LastInsertRowid();
  outcomes_.emplace(code, number);
  return number;
}

void SearchNames::Count(std::int64_t number, int by, WallTime received_at) {
  if (number == 0) return;
  Change& change = changes_[number];
  change.events += by;
  change.last_ms = std::max(change.last_ms, Ms(received_at));
}

void SearchNames::CountOutcome(std::int64_t number, int by) {
  outcome_changes_[number] += by;
}

Status SearchNames::Flush() {
  for (const auto& [number, change] : changes_) {
    HSW_TRY(sql_.count.Bind(number, change.events, change.last_ms).Run());
  }
  changes_.clear();
  for (const auto& [number, events] : outcome_changes_) {
    if (events != 0) HSW_TRY(sql_.count_outcome.Bind(number, events).Run());
  }
  outcome_changes_.clear();
  return Ok();
}

// Sinks and rules are counted by the outcomes that name them, and few. Paths are not counted down, for an event's are
// not kept.
Status SearchNames::RemoveUnused() {
  HSW_TRY(sql_.remove.Bind(static_cast<int>(NameKind::kDirection)).Run());
  HSW_TRY(sql_.remove_paths.Bind(static_cast<int>(NameKind::kPath)).Run());
  HSW_TRY(sql_.remove_outcomes.Run());
  return Reload();
}

}  // namespace hookswitch
