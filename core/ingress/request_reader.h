#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hookswitch {

/// Why a request cannot be served as HTTP.
struct ReadProblem {
  int status = 400;
  std::string_view error = "invalid_request";  ///< a word pinned in CONTRACT.md
  std::string detail;
};

/// Reads requests from bytes, wherever they come from; one at a time, the object is used again for the next.
///
/// Strict where HTTP lets two readers disagree on where a request ends: exactly one Content-Length of digits only or
/// exactly `Transfer-Encoding: chunked`, never both, no folded lines, no bare LF, no blanks before a colon. A chunked
/// body is complete only with its last chunk and the empty line behind it. Never throws on input.
class RequestReader {
 public:
  static constexpr std::size_t kMaxHead = 16 * 1024;   ///< bytes of request line and headers
  static constexpr std::size_t kMaxTarget = 8 * 1024;  ///< bytes of path and query
  static constexpr std::size_t kMaxHeaders = 100;
  /// Feed never leaves this many bytes unused; a buffer of this size always suffices.
  static constexpr std::size_t kMaxUnused = 32 * 1024;

  enum class State {
    kHead,      ///< wants more of the head
    kHeadDone,  ///< the head can be judged; Feed again to go on with the body
    kBody,      ///< wants more of the body
    kComplete,  ///< the request is whole
    kRefused,   ///< see problem(); where the next request would begin is unknown
  };

  RequestReader();
  ~RequestReader();

  /// Begins a new request. Memory of an unusually large one is given back.
  void Reset(std::uint64_t max_body);
  /// Uses what it can of `bytes` and says how much; the rest must be offered again, with what came behind it.
  std::size_t Feed(std::string_view bytes);
  /// No more bytes will come: an unfinished request is refused.
  void End();
  /// After kHeadDone: refuses a body that is over the limit (413) or, if `required`, whose length is missing (411),
  /// before any of it is read.
  void CheckLength(bool required = true);

  State state() const { return state_; }
  const ReadProblem& problem() const { return problem_; }

  // Valid from kHeadDone on.
  const std::string& method() const { return method_; }
  const std::string& path() const { return path_; }    ///< percent-decoded
  const std::string& query() const { return query_; }  ///< as sent
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }
  const std::string& body() const { return body_; }
  /// With kComplete: what the body is after its Content-Encoding was undone.
  void ReplaceBody(std::string body) { body_ = std::move(body); }
  bool http11() const { return http11_; }
  bool keep_alive() const;  ///< what the sender asked for
  bool expects_continue() const { return expects_continue_; }

 private:
  class Parser;
  void Refuse(int status, std::string_view error, std::string detail);
  void CheckHead();
  void SplitTarget();

  std::unique_ptr<Parser> parser_;
  State state_ = State::kHead;
  ReadProblem problem_;
  std::uint64_t max_body_ = 0;
  bool began_ = false;
  std::string method_, target_, path_, query_, body_;
  std::vector<std::pair<std::string, std::string>> headers_;
  bool http11_ = true;
  bool expects_continue_ = false;
};

/// Decodes %XX; `plus_is_space` for form and query values. False if an escape is broken or gives a NUL.
bool PercentDecode(std::string_view text, bool plus_is_space, std::string& out);

}  // namespace hookswitch
