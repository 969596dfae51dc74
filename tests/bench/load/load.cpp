#include "tests/bench/load/load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <deque>

#include "core/base/text.h"
#include "tests/bench/load/router_process.h"

namespace hookswitch::bench {
namespace {

using Mono = std::chrono::steady_clock;

constexpr std::string_view kToken = "@call_id@";
constexpr std::size_t kPrefixSize = 24;  // "SALT0000-0000-4000-8000-"
constexpr std::size_t kNumberDigits = 12;

struct Connection {
  int fd = -1;
  bool busy = false;
  bool counted = false;  ///< the request under way was sent after the warm-up
  bool wants_write = false;
  std::string out;
  std::size_t sent = 0;
  std::string in;
  Mono::time_point due;
  std::uint64_t answers = 0;
};

class Load {
 public:
  Load(const LoadOptions& options, Payload& payload, const std::function<void(std::uint64_t, Mono::time_point)>& sent)
      : options_(options),
        payload_(payload),
        sent_(sent),
        connections_(static_cast<std::size_t>(options.connections)),
        next_number_(options.first_number) {
    head_ =
        "POST " + options.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ";
  }
  ~Load() {
    for (const Connection& connection : connections_) {
      if (connection.fd >= 0) close(connection.fd);
    }
    if (epoll_ >= 0) close(epoll_);
  }

  Result<LoadResult> Run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (!Connect(i))
        return Error{ErrorCode::kUnavailable, "cannot connect to 127.0.0.1:" + std::to_string(options_.port)};
    }
    begin_ = Mono::now();
    const bool by_number = options_.requests != 0;
    const auto counted_from = by_number ? begin_ : begin_ + options_.warm_up;
    const auto end = by_number ? Mono::time_point::max() : counted_from + options_.duration;
    const auto last = by_number ? end : end + std::chrono::seconds(5);
    counting_ = by_number;
    if (options_.rate <= 0) {
      for (std::size_t i = 0; i < connections_.size(); ++i) Send(i, Mono::now());
    } else {
      for (std::size_t i = 0; i < connections_.size(); ++i) idle_.push_back(i);
    }
    double cpu_before = CpuSeconds(options_.pid);
    double cpu_after = 0;
    epoll_event events[256];
    while (true) {
      const auto now = Mono::now();
      if (!counting_ && !over_ && now >= counted_from) {
        counting_ = true;
        cpu_before = CpuSeconds(options_.pid);
        for (Connection& connection : connections_) connection.answers = 0;
      }
      if (!over_ && (by_number ? in_flight_ == 0 && AllSent() : now >= end)) {
        over_ = true;
        cpu_after = CpuSeconds(options_.pid);
        Finish(now - counted_from);
      }
      if (over_ && (in_flight_ == 0 || now >= last)) break;
      const auto wake = over_ ? last : std::min(counting_ ? end : counted_from, SendDue(now));
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(wake - Mono::now()).count();
      const timespec wait{std::max<std::int64_t>(left, 0) / 1'000'000'000,
                          std::max<std::int64_t>(left, 0) % 1'000'000'000};
      const int count = epoll_pwait2(epoll_, events, 256, by_number ? nullptr : &wait, nullptr);
      for (int i = 0; i < count; ++i) {
        const std::size_t index = events[i].data.u32;
        if ((events[i].events & EPOLLOUT) != 0) Flush(index);
        if ((events[i].events & ~EPOLLOUT) != 0) Read(index);
      }
    }
    result_.unanswered += in_flight_;
    if (result_.answered > 0) {
      result_.cpu_us_per_request = (cpu_after - cpu_before) * 1e6 / static_cast<double>(result_.answered);
    }
    std::sort(result_.latencies_us.begin(), result_.latencies_us.end());
    return std::move(result_);
  }

 private:
  /// Rates and shares are those of the measured time; stragglers after it only add their latencies.
  void Finish(Mono::duration took) {
    result_.seconds = std::chrono::duration<double>(took).count();
    const auto [least, most] = std::minmax_element(connections_.begin(), connections_.end(),
                                                   [](const auto& a, const auto& b) { return a.answers < b.answers; });
    result_.fewest = least->answers;
    result_.most = most->answers;
  }

  bool Connect(std::size_t index) {
    Connection& connection = connections_[index];
    if (connection.fd >= 0) close(connection.fd);
    connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
    const int on = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection.fd, F_SETFL, O_NONBLOCK);
    connection.in.clear();
    connection.out.clear();
    connection.sent = 0;
    connection.wants_write = false;
    Watch(index, EPOLLIN, EPOLL_CTL_ADD);
    return true;
  }

  void Watch(std::size_t index, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = static_cast<std::uint32_t>(index);
    epoll_ctl(epoll_, operation, connections_[index].fd, &event);
  }

  /// Sends what the schedule says; returns when the next is due.
  Mono::time_point SendDue(Mono::time_point now) {
    if (options_.rate <= 0) return Mono::time_point::max();
    while (true) {
      const auto due = begin_ + std::chrono::duration_cast<Mono::duration>(
                                    std::chrono::duration<double>(static_cast<double>(scheduled_) / options_.rate));
      if (due > now) return due;
      ++scheduled_;
      if (idle_.empty()) {
        late_.push_back(due);
      } else {
        const std::size_t index = idle_.front();
        idle_.pop_front();
        Send(index, due);
      }
    }
  }

  bool AllSent() const { return options_.requests != 0 && next_number_ - options_.first_number >= options_.requests; }

  void Send(std::size_t index, Mono::time_point due) {
    if (AllSent()) return;
    Connection& connection = connections_[index];
    const std::uint64_t number = next_number_++;
    const std::string& body = payload_.Make(number);
    connection.out = head_;
    connection.out += std::to_string(body.size());
    connection.out += "\r\n\r\n";
    connection.out += body;
    connection.sent = 0;
    connection.busy = true;
    connection.counted = counting_;
    connection.due = due;
    ++in_flight_;
    if (sent_) sent_(number, due);
    Flush(index);
  }

  void Flush(std::size_t index) {
    Connection& connection = connections_[index];
    while (connection.sent < connection.out.size()) {
      const ssize_t put = send(connection.fd, connection.out.data() + connection.sent,
                               connection.out.size() - connection.sent, MSG_NOSIGNAL);
      if (put < 0) {
        if (errno == EAGAIN && !connection.wants_write) {
          connection.wants_write = true;
          Watch(index, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        }
        return;  // other errors show when reading
      }
      connection.sent += static_cast<std::size_t>(put);
    }
    if (connection.wants_write) Watch(index, EPOLLIN, EPOLL_CTL_MOD);
    connection.wants_write = false;
  }

  void Read(std::size_t index) {
    Connection& connection = connections_[index];
    char chunk[16 * 1024];
    const ssize_t got = recv(connection.fd, chunk, sizeof chunk, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      if (connection.busy) {
        ++result_.unanswered;
        --in_flight_;
      }
      return Again(index, true);
    }
    connection.in.append(chunk, static_cast<std::size_t>(got));
    int status = 0;
    bool close_after = false;
    if (!Whole(connection.in, status, close_after)) {
      // A server that wrote head and body apart waits for this ACK before it sends the rest (Nagle).
      const int on = 1;
      setsockopt(connection.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
      return;
    }
    connection.in.clear();
    ++connection.answers;
    --in_flight_;
    if (connection.counted) {
      if (!over_) ++result_.answered;
      ++result_.by_status[status];
      const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(Mono::now() - connection.due).count();
      result_.latencies_us.push_back(static_cast<std::uint32_t>(latency));
    }
    Again(index, close_after);
  }

  static bool Whole(std::string_view in, int& status, bool& close_after) {
    const std::size_t head_end = in.find("\r\n\r\n");
    if (head_end == std::string_view::npos || in.size() < 12) return false;
    std::from_chars(in.data() + 9, in.data() + 12, status);
    std::size_t length = 0;
    std::string_view head = in.substr(0, head_end);
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n")) {
      head.remove_prefix(at + 2);
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view name = line.substr(0, colon);
      const std::string_view value = Trim(line.substr(colon + 1));
      if (EqualsIgnoreCase(name, "content-length")) std::from_chars(value.data(), value.data() + value.size(), length);
      if (EqualsIgnoreCase(name, "connection")) close_after = EqualsIgnoreCase(value, "close");
    }
    return in.size() >= head_end + 4 + length;
  }

  /// The connection is free: sends the next request on it, or keeps it for the schedule.
  void Again(std::size_t index, bool reconnect) {
    connections_[index].busy = false;
    if (reconnect) {
      ++result_.reconnects;
      if (over_ || !Connect(index)) return;
    }
    if (over_) return;
    if (options_.rate <= 0) {
      Send(index, Mono::now());
    } else if (!late_.empty()) {
      const auto due = late_.front();
      late_.pop_front();
      Send(index, due);
    } else {
      idle_.push_back(index);
    }
  }

  const LoadOptions& options_;
  Payload& payload_;
  const std::function<void(std::uint64_t, Mono::time_point)>& sent_;
  std::vector<Connection> connections_;
  std::deque<std::size_t> idle_;
  std::deque<Mono::time_point> late_;
  std::string head_;
  LoadResult result_;
  Mono::time_point begin_;
  int epoll_ = -1;
  bool counting_ = false, over_ = false;
  std::uint64_t next_number_, scheduled_ = 0, in_flight_ = 0;
};

}  // namespace

Payload::Payload(std::string_view text, std::uint32_t salt) {
  char prefix[kPrefixSize + 1];
  std::snprintf(prefix, sizeof prefix, "%08x-0000-4000-8000-", salt);
  prefix_ = prefix;
  for (std::size_t at = text.find(kToken); at != std::string_view::npos; at = text.find(kToken)) {
    body_ += text.substr(0, at);
    body_ += prefix_;
    places_.push_back(body_.size());
    body_.append(kNumberDigits, '0');
    text.remove_prefix(at + kToken.size());
  }
  body_ += text;
}

const std::string& Payload::Make(std::uint64_t number) {
  char digits[kNumberDigits + 1];
  std::snprintf(digits, sizeof digits, "%012llx", static_cast<unsigned long long>(number & 0xffffffffffff));
  for (const std::size_t place : places_) std::memcpy(body_.data() + place, digits, kNumberDigits);
  return body_;
}

std::optional<std::uint64_t> Payload::NumberIn(std::string_view text) const {
  const std::size_t at = text.find(prefix_);
  if (at == std::string_view::npos || text.size() < at + kPrefixSize + kNumberDigits) return {};
  std::uint64_t number = 0;
  const char* digits = text.data() + at + kPrefixSize;
  if (std::from_chars(digits, digits + kNumberDigits, number, 16).ptr != digits + kNumberDigits) return {};
  return number;
}

Result<LoadResult> RunLoad(const LoadOptions& options, Payload& payload,
                           const std::function<void(std::uint64_t, Mono::time_point)>& sent) {
  return Load(options, payload, sent).Run();
}

std::uint32_t Percentile(const std::vector<std::uint32_t>& sorted, double percent) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(percent / 100 * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

}  // namespace hookswitch::bench
