#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/mapping.h"
#include "core/sources/mapping/named_parts.h"
#include "core/sources/source.h"

namespace hookswitch {

/// A source that is described by a mapping: JSON, or a form (core/sources/README.md has the language).
///
/// Only the call's id is required, and only if it is mapped; any other value that is missing or of the wrong type is
/// absent from the event. What the mapping skips, and a test of the hook, is a NotACall.
class MappedSource final : public Source {
 public:
  /// What a source is called.
  struct Names {
    std::string name;      ///< in the config
    std::string title;     ///< for people
    std::string type;      ///< "retell", "json": begins the dedup keys
    std::string currency;  ///< of a cost that has none
  };
  MappedSource(Names names, std::shared_ptr<const config::Mapping> mapping, std::shared_ptr<const AgentMap> agents);

  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override;
  std::span<const std::string_view> KeptHeaders() const override { return kept_headers_; }
  std::span<const std::string_view> KeptParameters() const override { return kept_parameters_; }
  bool ReadsForms() const override { return true; }
  bool CarriesOver() const override { return mapping_->carry; }
  std::optional<std::vector<std::string>> Split(const RawRequest& request) const override;

 private:
  const Names names_;
  const std::shared_ptr<const config::Mapping> mapping_;
  const std::shared_ptr<const AgentMap> agents_;
  const mapping::NamedParts parts_;
  std::vector<std::string_view> kept_headers_, kept_parameters_;  ///< views of parts_
};

}  // namespace hookswitch
