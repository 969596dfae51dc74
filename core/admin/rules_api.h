#pragma once
#include "core/admin/indexer.h"
#include "core/admin/router.h"
#include "core/admin/routes.h"
#include "core/base/clock.h"
#include "core/journal/history.h"

namespace hookswitch {

/// Serves /api/v1/rules and /api/v1/sources: what the config says, and how it was used lately (OPERATING.md, "Admin
/// API"). [thread: any] Blocks.
class RulesApi {
 public:
  /// The references outlive it. `indexer` counts hits and events; nullptr: counts are null.
  RulesApi(Router& router, History& history, const Indexer* indexer, const Clock& clock)
      : router_(router), history_(history), indexer_(indexer), clock_(clock) {}
  void AddTo(AdminRoutes& routes);

 private:
  /// nullptr: there is none now.
  std::shared_ptr<SearchIndex> Index() const { return indexer_ ? indexer_->index() : nullptr; }
  Answer ListRules();
  Answer ListSources();

  Router& router_;
  History& history_;
  const Indexer* const indexer_;
  const Clock& clock_;
};

}  // namespace hookswitch
