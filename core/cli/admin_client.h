#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/cli/commands.h"
#include "core/cli/printing.h"
#include "core/config/loader.h"
#include "core/http/event_stream.h"
#include "core/http/http_client.h"
#include "core/routing/schedule.h"

namespace hookswitch::cli {

/// What the router answered.
struct Reply {
  int status = 0;
  json::object body;
  bool ok() const { return status == 200; }
};

/// The admin API of a running router, found by --url or by the config. Blocks.
class AdminClient {
 public:
  /// Errors: kInvalid (the config does not say where the listener is).
  static Result<AdminClient> Make(const Options& options);

  /// Sends one request; a reply may have any status. Errors have a sentence for people: kUnavailable (no response),
  /// kInvalid (the token is missing or wrong, or it is not hookswitch that answers).
  Result<Reply> Send(const std::string& method, const std::string& target, std::string body = {});

  /// The body of a reply to GET. Errors: those of Send, and kInvalid with what the router says (not 200).
  Result<json::object> Get(const std::string& target);

  /// Reads GET `target`, a stream of server-sent events, until `take` returns false. When the connection is lost it
  /// connects again, in growing intervals, and goes on with what it missed; `lost` gets the reason, once for each loss,
  /// and "" when there is a connection again. Blocks. Errors: as Get, if there was no connection yet, or none will be.
  Status Follow(const std::string& target, const EventStreamParser::Take& take,
                const std::function<void(const std::string& reason)>& lost);

  /// The names that the config gives to agents whose id matches `glob`.
  std::vector<std::string> AgentNames(const std::string& glob) const;
  const std::string& where() const { return where_; }

  /// How to show responses; borrows from this.
  View ViewOf(const Options& options) const;

 private:
  AdminClient() = default;
  HttpRequest Request(const std::string& method, const std::string& target, std::string body) const;
  Error NoAnswer(const HttpResult& result) const;
  Error TokenRefused() const;

  std::string where_;  ///< as people know it: "http://127.0.0.1:8001", "unix:/run/hookswitch/admin.sock"
  std::string url_, token_;
  std::string token_from_;  ///< where the token comes from, or why there is none
  HttpClientOptions http_options_;
  std::unique_ptr<HttpClient> http_;
  std::map<std::string, config::Agent, std::less<>> agents_;
  std::unique_ptr<const routing::Zone> zone_;  ///< defaults.timezone
};

/// AdminClient::Make and Send.
Result<Reply> Send(const Options& options, const std::string& method, const std::string& target, std::string body = {});

/// Runs a command of one request: prints the reply's body by `print`, or as JSON whatever its status. Returns the exit
/// code.
int SendAndPrint(const Options& options, const std::string& method, const std::string& target, std::string body,
                 const std::function<void(const json::object& body, const View& view)>& print);

/// Prints why the router rejected a request. Returns the exit code: kUsage for an invalid request (400, except an
/// unknown name), else kProblems.
int Refused(const Reply& reply);

/// Any `text` as one segment of a URL's path.
std::string PathSegment(std::string_view text);

/// Why a config cannot be used, as the beginning of a sentence: "x.yaml cannot be read: no such file or directory".
std::string WhyUnread(const config::Loaded& loaded, const std::string& file);

}  // namespace hookswitch::cli
