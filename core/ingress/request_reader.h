#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hookswitch {

/// Why a request is rejected.
struct ReadProblem {
  int status = 400;
  std::string_view error = "invalid_request";  ///< a stable code for programs
  std::string detail;
};

/// Parses requests from bytes, one at a time; Reset makes it ready for the next. Not thread-safe. Never throws on
/// input.
///
/// Strict where two HTTP parsers could disagree on where a request ends: one Content-Length of digits only or exactly
/// `Transfer-Encoding: chunked`, never both, no folded lines, no bare LF, no blanks before a colon. A chunked body is
/// complete only with its last chunk and the empty line after it.
class RequestReader {
 public:
  static constexpr std::size_t kMaxHead = 16 * 1024;   ///< bytes of request line and headers
  static constexpr std::size_t kMaxTarget = 8 * 1024;  ///< bytes of path and query
  static constexpr std::size_t kMaxHeaders = 100;
  /// Feed never leaves this many bytes unused; a buffer of this size always suffices.
  static constexpr std::size_t kMaxUnused = 32 * 1024;

  enum class State {
    kHead,      ///< needs more of the head
    kHeadDone,  ///< the head can be judged; Feed again for the body
    kBody,      ///< needs more of the body
    kComplete,  ///< the request is complete
    kRefused,   ///< see problem(); the start of the next request is unknown
  };

  RequestReader();
  ~RequestReader();

  /// Starts a new request. Frees the memory of an unusually large body.
  void Reset(std::uint64_t max_body);
  /// After kHeadDone and before CheckLength: another limit for this request. With `max_dropped`, a body over
  /// `max_body` is read up to that size and dropped.
  void LimitBody(std::uint64_t max_body, std::uint64_t max_dropped = 0);
  /// Consumes what it can of `bytes` and returns how many; offer the rest again, together with what follows.
  std::size_t Feed(std::string_view bytes);
  /// The input has ended: rejects an unfinished request.
  void End();
  /// After kHeadDone: rejects a body over the limit (413) or, if `required`, without a length (411), before reading it.
  void CheckLength(bool required = true);

  State state() const { return state_; }
  const ReadProblem& problem() const { return problem_; }

  // Valid from kHeadDone on.
  const std::string& method() const { return method_; }
  const std::string& path() const { return path_; }      ///< percent-decoded
  const std::string& query() const { return query_; }    ///< as sent
  const std::string& target() const { return target_; }  ///< path and query as sent, without scheme and host
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }
  const std::string& body() const { return body_; }
  /// True if the body is over its limit: it is empty then.
  bool body_dropped() const { return body_dropped_; }
  std::uint64_t max_body() const { return max_body_; }
  bool may_drop_body() const { return max_dropped_ != 0; }
  /// With kComplete: replaces the body by its decoded form.
  void ReplaceBody(std::string body) { body_ = std::move(body); }
  void DropBody();
  bool http11() const { return http11_; }
  bool keep_alive() const;  ///< as the client asked
  bool expects_continue() const { return expects_continue_; }

 private:
  class Parser;
  void Refuse(int status, std::string_view error, std::string detail);
  void CheckHead();
  void SplitTarget();
  /// Whether `more` bytes of body may come; decides whether they are kept.
  bool Expect(std::uint64_t more);
  void Take(std::string_view piece);
  std::string OverLimit() const;

  std::unique_ptr<Parser> parser_;
  State state_ = State::kHead;
  ReadProblem problem_;
  std::uint64_t max_body_ = 0;
  std::uint64_t max_dropped_ = 0;  ///< 0: a body over max_body_ is refused
  std::uint64_t received_ = 0;     ///< bytes of body
  bool body_dropped_ = false;
  bool began_ = false;
  std::string method_, target_, path_, query_, body_;
  std::vector<std::pair<std::string, std::string>> headers_;
  bool http11_ = true;
  bool expects_continue_ = false;
};

}  // namespace hookswitch
