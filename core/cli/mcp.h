#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/cli/admin_client.h"

namespace hookswitch::cli {

/// The admin API as tools of the Model Context Protocol (modelcontextprotocol.io, 2025-06-18), for one client that
/// sends JSON-RPC 2.0, a message a line. Not thread-safe.
class McpServer {
 public:
  /// Asks the router; as AdminClient::Send.
  using Ask = std::function<Result<Reply>(const std::string& method, const std::string& target, std::string body)>;
  struct Options {
    bool allow_changes = false;  ///< else only tools that read are there
    bool show_bodies = false;    ///< else what callers said is withheld
  };

  McpServer(Options options, Ask ask) : options_(options), ask_(std::move(ask)) {}

  /// The line to answer to one message, without a line break; empty for a notification.
  std::optional<std::string> Handle(std::string_view line);

 private:
  json::object Initialize(const json::object& parameters) const;
  json::object ListTools() const;
  /// The result of a call; a router that refuses is a result with "isError". Error: kInvalid: there is no such tool, or
  /// its arguments are wrong.
  Result<json::object> Call(const json::object& parameters);

  const Options options_;
  const Ask ask_;
};

}  // namespace hookswitch::cli
