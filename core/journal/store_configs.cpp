#include <cstring>
#include <utility>

#include "core/base/log.h"
#include "core/journal/rows.h"
#include "core/journal/store.h"

// Store's table of configs. It matters less than events: damage there makes new events name none, and holds up nothing.
namespace hookswitch {

Status Store::LoadConfigs() {
  const auto last = db_.QueryInt("SELECT max(number) FROM config");
  auto configs = db_.Prepare("SELECT number, hash FROM config WHERE number >= ?1 AND number <= ?2 ORDER BY number");
  if (!configs) return configs.error();
  configs_.EraseAll();
  const auto bad = !last ? last : ScanRows(*configs, 0, *last, [&](Statement& row) {
    const std::string_view bytes = row.Bytes(1);
    Digest hash;
    if (bytes.size() == hash.size()) {
      std::memcpy(hash.data(), bytes.data(), hash.size());
      configs_.Insert(hash, row.Int(0));
    }
    return true;
  });
  configs_.Begin();
  if (bad && *bad == 0) return Ok();
  const Error damage{ErrorCode::kInvalid, "pages of its rows cannot be read"};
  const Error& error = bad ? damage : bad.error();
  if (error.code != ErrorCode::kInvalid) return error;
  GiveUpConfigs(error);
  return Ok();
}

void Store::GiveUpConfigs(const Error& error) {
  if (!std::exchange(keeps_configs_, false)) return;
  ++bad_rows_;
  log::Error("journal_rows_damaged", {{"file", path_}, {"table", "config"}, {"reason", error.message}});
}

Result<std::int64_t> Store::NumberOf(const KeptConfig* config) {
  if (config == nullptr) return std::int64_t{0};
  if (const std::int64_t number = configs_.Find(config->hash); number != 0) return number;
  if (!keeps_configs_) return std::int64_t{0};
  const std::string_view hash(reinterpret_cast<const char*>(config->hash.data()), config->hash.size());
  Status stored = sql_.config.Bind(Statement::Blob{hash}, Ms(config->since), config->text).Run();
  if (!stored) {
    // Events matter more: they are stored without.
    if (stored.error().code != ErrorCode::kUnavailable) GiveUpConfigs(stored.error());
    return std::move(stored).error();
  }
  const std::int64_t number = db_.LastInsertRowid();
  configs_.Insert(config->hash, number);
  return number;
}

Status Store::RemoveUnusedConfigs() {
  const std::vector<std::int64_t> unused = configs_.Unused();
  if (unused.empty() || !keeps_configs_) return Ok();
  const auto remove = [&]() -> Status {
    HSW_TRY(Begin());
    for (const std::int64_t config : unused) HSW_TRY(sql_.remove_config.Bind(config).Run());
    return Commit();
  };
  if (Status removed = remove(); !removed) {
    Rollback();
    if (removed.error().code != ErrorCode::kInvalid) return removed;
    GiveUpConfigs(removed.error());
    return Ok();
  }
  for (const std::int64_t config : unused) configs_.Erase(config);
  return Ok();
}

}  // namespace hookswitch
