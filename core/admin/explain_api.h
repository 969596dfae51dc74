#pragma once
#include <atomic>
#include <variant>

#include "core/admin/explain.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/ingress/http_server.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/sources/stored_request.h"

namespace hookswitch {

struct ExplainRequest;

/// Serves POST /api/v1/explain and GET /api/v1/deliveries/{id}/message (OPERATING.md, "Admin API"). [thread: any]
/// Blocks.
class ExplainApi {
 public:
  /// The references outlive it.
  ExplainApi(History& history, Journal& journal, const Clock& clock, Router& router)
      : history_(history), journal_(journal), clock_(clock), router_(router) {}

  Answer Explain(const ServedRequest& request);
  /// What `delivery` would send by the current config (preview.h), and "plugin". Errors: those of the journal.
  Result<json::object> MessageOf(const DeliverySummary& delivery);
  /// The same as an answer; with `withhold` without it (withheld.h).
  Answer ShowMessage(const DeliverySummary& delivery, bool withhold);

 private:
  /// A payload, and what it is read with; or why there is none.
  struct Payload {
    std::shared_ptr<const Source> source;
    std::string id;  ///< of a stored event
    std::string body;
    Headers headers;
    WallTime received_at{};
  };
  std::variant<Payload, Answer> Find(const ExplainRequest& request, const ActivePlan& plan);
  std::variant<Payload, Answer> Pasted(const ExplainRequest& request, const ActivePlan& plan) const;
  std::variant<Payload, Answer> Stored(const ExplainRequest& request, const ActivePlan& plan);
  Result<json::object> Render(const DeliverySummary& delivery, const ActivePlan& plan);

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  std::atomic<int> running_{0};
};

}  // namespace hookswitch
