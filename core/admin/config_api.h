#pragma once
#include "core/admin/router.h"
#include "core/admin/routes.h"
#include "core/base/sync.h"

namespace hookswitch {

/// Serves /api/v1/config: every value that runs, with where it comes from, and the last reload (OPERATING.md, "Admin
/// API"). [thread: any] Blocks.
class ConfigApi {
 public:
  /// `router` outlives it.
  explicit ConfigApi(Router& router) : router_(router) {}
  void AddTo(AdminRoutes& routes);

 private:
  Answer Show() EXCLUDES(reading_mu_);

  Router& router_;
  Mutex reading_mu_;  ///< one request at a time reads the files' texts, which may be large
};

}  // namespace hookswitch
