#pragma once
#include <memory>
#include <string>

#include "core/sources/source.h"

namespace hookswitch {

/// Bolna's call webhooks: the bare execution object, one POST per change of status
/// (www.bolna.ai/docs/polling-call-status-webhooks).
///
/// Only `id` and `status` are required; any other value that is missing or of the wrong type is absent from the event.
/// Workflow and batch webhooks to the same URL are a NotACall.
class BolnaSource final : public Source {
 public:
  BolnaSource(const config::Source& config, std::shared_ptr<const AgentMap> agents);

  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override;
  std::span<const std::string_view> KeptHeaders() const override { return {}; }

 private:
  std::string name_, title_, currency_;
  std::shared_ptr<const AgentMap> agents_;
};

}  // namespace hookswitch
