#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hookswitch::fakes {

struct RawAnswer {
  int status = 0;  ///< 0: no whole answer came; `error` says why
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string error;  ///< "refused", "reset", "closed", "timeout", "malformed"
  /// The first value of a header (any case), or "".
  std::string Header(std::string_view name) const;
};

/// One keep-alive connection that sends exactly the bytes it is given: a client for tests, which must be able to send
/// what no library would. Not safe from several threads.
class RawClient {
 public:
  /// `from`: the loopback address to come from, "127.0.0.2".
  explicit RawClient(std::uint16_t port, std::chrono::milliseconds timeout = std::chrono::seconds(20),
                     const char* from = "127.0.0.1");
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False if the connection was refused.
  bool Connected() const { return fd_ >= 0; }
  bool Send(std::string_view bytes);
  /// No more will be sent; answers can still be read.
  void FinishSending();
  /// Reads one answer.
  RawAnswer Receive();
  /// Whether the other side has not closed yet, without waiting. What it has sent stays.
  bool IsOpen() const;
  /// True if the other side closes within the timeout, without sending anything more.
  bool SeesClose();

 private:
  RawAnswer Failed(int received) const;

  int fd_ = -1;
  std::string buffer_;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;
/// The bytes of a request with a Content-Length (left out for an empty GET).
std::string RequestBytes(std::string_view method, std::string_view target, std::string_view body,
                         const HeaderList& headers = {});
/// One request on a connection of its own.
RawAnswer Fetch(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body = {},
                const HeaderList& headers = {}, std::chrono::milliseconds timeout = std::chrono::seconds(20));

}  // namespace hookswitch::fakes
