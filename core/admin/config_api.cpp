#include "core/admin/config_api.h"

#include <utility>

#include "core/admin/answers.h"
#include "core/base/encoding.h"
#include "core/base/time_text.h"
#include "core/config/provenance.h"

namespace hookswitch {
namespace {

// A rule is about ten values.
constexpr std::size_t kMostValues = 20'000;

json::value ToValue(const LastReload* last) {
  if (!last) return nullptr;
  return json::object{{"at", ToRfc3339(last->at)},
                      {"ok", last->report.applied},
                      {"by", OrNull(last->by)},
                      {"problems", config::ToArray(last->report.problems)}};
}

json::object ToObject(config::ConfigValue&& value) {
  return {{"path", std::move(value.path)},
          {"value", std::move(value.value)},
          {"from", std::move(value.from)},
          {"secret", value.secret},
          {"source", OrNull(value.source)}};
}

}  // namespace

void ConfigApi::AddTo(AdminRoutes& routes) {
  routes.Add({"GET", "/api/v1/config", Access::kRead, AdminRoute::Takes::kNothing,
              [this](const RoutedRequest&) { return Show(); }});
}

Answer ConfigApi::Show() {
  const RunningConfig running = router_.Running();
  config::ConfigValues values;
  {
    MutexLock lock(reading_mu_);
    values = config::ValuesOf(*running.config, *running.plugin_schemas, kMostValues);
  }
  json::array files, shown;
  for (const auto& file : running.config->files) files.emplace_back(file->path);
  for (auto& value : values.all) shown.push_back(ToObject(std::move(value)));
  return JsonAnswer(200, json::object{{"generation", running.generation},
                                      {"hash", Hex(running.hash)},
                                      {"file", running.config->file},
                                      {"files", std::move(files)},
                                      {"applied_at", ToRfc3339(running.applied_at)},
                                      {"values", std::move(shown)},
                                      {"left_out", values.left_out},
                                      {"last_reload", ToValue(router_.LastReload().get())}});
}

}  // namespace hookswitch
