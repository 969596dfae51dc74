#include "core/ingress/http_connection.h"

#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

// A busy keep-alive connection never gives its thread back by itself; this many requests are its turn.
constexpr int kRequestsPerConnection = 100;
constexpr milliseconds kCrowdedIdle{50};
constexpr milliseconds kLinger{1000};
constexpr std::size_t kLingerBytes = 4 << 20;
constexpr std::size_t kBuffer = 2 * RequestReader::kMaxUnused;

void SetReceiveTimeout(int fd, milliseconds timeout) {
  timeval time{};
  time.tv_sec = timeout.count() / 1000;
  time.tv_usec = (timeout.count() % 1000) * 1000;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

// True when `events` (or an error) are there before `deadline`.
bool PollUntil(int fd, short events, Steady::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd, events, 0};
    const int n = ::poll(&entry, 1, static_cast<int>(left));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return true;
  }
}

void AppendNumber(std::string& out, std::size_t number, int base = 10) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number, base).ptr);
}

}  // namespace

// ConnectionTable

ConnectionTable::ConnectionTable(const HttpServerOptions& options, HeadHandler head, RequestHandler handler, Gauge open)
    : options_(options), head_(std::move(head)), handler_(std::move(handler)), open_gauge_(open) {}

void ConnectionTable::Accepted() {
  open_gauge_.Set(++open_);
}

void ConnectionTable::Add(HttpConnection& connection) {
  MutexLock lock(mu_);
  running_.insert(&connection);
}

void ConnectionTable::Remove(HttpConnection& connection) {
  MutexLock lock(mu_);
  running_.erase(&connection);
  --open_;
  open_gauge_.Add(-1);
  changed_.NotifyAll();
}

void ConnectionTable::BeginDrain() {
  draining_.store(true);
  MutexLock lock(mu_);
  for (HttpConnection* connection : running_) connection->CutIdle(true);
}

bool ConnectionTable::WaitUntilEmpty(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mu_);
  while (open_.load() > 0 && Steady::now() < deadline) changed_.WaitUntil(mu_, deadline);
  return open_.load() <= 0;  // ForgetQueued may have forgotten one that a thread was just taking
}

void ConnectionTable::ForgetQueued() {
  MutexLock lock(mu_);
  open_.store(static_cast<int>(running_.size()));
  open_gauge_.Set(open_.load());
}

void ConnectionTable::CutAll() {
  MutexLock lock(mu_);
  for (HttpConnection* connection : running_) connection->Cut();
}

void ConnectionTable::CutOneIdle() {
  MutexLock lock(mu_);
  for (HttpConnection* connection : running_) {
    if (connection->phase_.load() == HttpConnection::Phase::kIdle && !connection->cut_.load()) {
      return connection->CutIdle(false);
    }
  }
}

// HttpConnection

struct HttpConnection::Workspace {
  RequestReader reader;
  std::vector<char> buffer = std::vector<char>(kBuffer);
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string out;

  std::string_view Unread() const { return {buffer.data() + begin, end - begin}; }
  void Use(std::size_t count) {
    begin += count;
    if (begin == end) begin = end = 0;
  }
  void MakeRoom() {
    if (begin == 0 || end < buffer.size() / 2) return;
    std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(begin), buffer.begin() + static_cast<std::ptrdiff_t>(end),
              buffer.begin());
    end -= begin;
    begin = 0;
  }
};

HttpConnection::Workspace& HttpConnection::TheWorkspace() {
  thread_local Workspace work;
  return work;
}

HttpConnection::HttpConnection(const Poco::Net::StreamSocket& socket, ConnectionTable& table)
    : TCPServerConnection(socket), table_(table), fd_(static_cast<int>(socket.impl()->sockfd())) {}

void HttpConnection::run() {
  NameThread(table_.options().name.c_str());
  table_.Add(*this);
  try {
    Serve();
  } catch (const Poco::Exception& e) {
    log::Debug("http_connection_failed", {{"server", table_.options().name}, {"reason", e.displayText()}});
  } catch (const std::exception& e) {
    log::Error("http_connection_failed", {{"server", table_.options().name}, {"reason", e.what()}});
  } catch (...) {
    log::Error("http_connection_failed", {{"server", table_.options().name}, {"reason", "not a std::exception"}});
  }
  AwaitAnswer();  // whoever gives one uses this connection
  // Out of the table first: nobody may cut a descriptor that another connection has got by then.
  table_.Remove(*this);
  try {
    socket().close();
  } catch (const Poco::Exception&) {
    // The peer may have torn the connection down already; there is nobody left to tell.
  }
}

void HttpConnection::Serve() {
  peer_ = socket().peerAddress().host().toString();
  SetReceiveTimeout(fd_, table_.options().keep_alive_timeout);
  Workspace& work = TheWorkspace();
  work_ = &work;
  work.begin = work.end = 0;
  for (int served = 0; ServeOne(work, served); ++served) {
  }
  if (linger_ || work.begin != work.end) Linger(work);
}

bool HttpConnection::Owes() {
  MutexLock lock(mu_);
  return owed_;
}

bool HttpConnection::WaitForRequest(Workspace& work, bool fresh) {
  for (;;) {
    const bool owes = Owes();
    // While an answer is owed the connection is not idle; whoever gives it says so then.
    if (!owes) phase_.store(fresh ? Phase::kFresh : Phase::kIdle);
    // Read after the phase is set: either this sees the drain, or the drain sees the phase and cuts.
    int flags = table_.Draining() || cut_.load() ? MSG_DONTWAIT : 0;
    if (!fresh && flags == 0 && table_.Crowded()) {
      if (!AwaitAnswer() || !PollUntil(fd_, POLLIN, Steady::now() + kCrowdedIdle)) return false;
      flags = MSG_DONTWAIT;
    }
    ssize_t n = 0;
    do {
      n = ::recv(fd_, work.buffer.data(), work.buffer.size(), flags);
    } while (n < 0 && errno == EINTR);
    const bool nothing_yet = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (!AwaitAnswer()) return false;
    if (nothing_yet && owes) {
      // The time that it took to answer is not the sender's.
      if (!PollUntil(fd_, POLLIN, given_at_ + table_.options().keep_alive_timeout)) return false;
      continue;
    }
    phase_.store(Phase::kServing);
    if (n <= 0) return false;
    work.begin = 0;
    work.end = static_cast<std::size_t>(n);
    return true;
  }
}

HttpConnection::Received HttpConnection::Receive(Workspace& work, TimePoint deadline) {
  work.MakeRoom();
  for (;;) {
    const ssize_t n = ::recv(fd_, work.buffer.data() + work.end, work.buffer.size() - work.end, MSG_DONTWAIT);
    if (n > 0) {
      // A sender that always has one more byte ready must not pass the deadline either.
      if (Steady::now() >= deadline) return Received::kTimeout;
      work.end += static_cast<std::size_t>(n);
      return Received::kData;
    }
    if (n == 0) return Received::kEnd;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Received::kGone;
    if (!PollUntil(fd_, POLLIN, deadline)) return Received::kTimeout;
  }
}

template <class Done>
HttpConnection::Received HttpConnection::ReadUntil(Workspace& work, TimePoint deadline, Done done) {
  for (;;) {
    work.Use(work.reader.Feed(work.Unread()));
    if (done(work.reader.state())) return Received::kData;
    const Received received = Receive(work, deadline);
    if (received == Received::kEnd) {
      work.reader.End();
      return Received::kData;
    }
    if (received != Received::kData) return received;
  }
}

ServedRequest HttpConnection::View(const Workspace& work) const {
  const RequestReader& reader = work.reader;
  return {.method = reader.method(),
          .path = reader.path(),
          .query = reader.query(),
          .body = reader.body(),
          .peer = peer_,
          .headers = reader.headers()};
}

bool HttpConnection::ServeOne(Workspace& work, int served) {
  using State = RequestReader::State;
  const HttpServerOptions& options = table_.options();
  RequestReader& reader = work.reader;
  if (!Owes()) reader.Reset(options.max_body);  // else whoever gives the answer does
  if (work.begin == work.end && !WaitForRequest(work, served == 0)) return false;
  const TimePoint deadline = Steady::now() + options.request_timeout;

  auto received = ReadUntil(work, deadline, [](State state) { return state != State::kHead; });
  if (received == Received::kGone) return false;
  if (received == Received::kTimeout) return Refuse(work, 408, "timeout", "the request's head took too long");
  if (reader.state() == State::kRefused) {
    return Refuse(work, reader.problem().status, reader.problem().error, reader.problem().detail);
  }
  const bool may_go_on = reader.keep_alive() && served + 1 < kRequestsPerConnection;
  if (table_.head()) {
    std::optional<Answer> early;
    try {
      early = table_.head()(View(work));
    } catch (const std::exception& e) {
      log::Error("http_handler_failed", {{"server", options.name}, {"path", reader.path()}, {"reason", e.what()}});
      early = ErrorAnswer(500, "internal", "");
    }
    if (early) {
      const bool whole = reader.state() == State::kComplete;
      linger_ = !whole;
      return Send(work, *early, may_go_on && whole);
    }
  }
  reader.CheckLength(options.length_required);
  if (reader.state() == State::kHeadDone) {
    if (reader.expects_continue() && reader.http11() && work.begin == work.end &&
        !SendAll("HTTP/1.1 100 Continue\r\n\r\n")) {
      return false;
    }
    received =
        ReadUntil(work, deadline, [](State state) { return state == State::kComplete || state == State::kRefused; });
    if (received == Received::kGone) return false;
    if (received == Received::kTimeout) return Refuse(work, 408, "timeout", "the request's body took too long");
  }
  if (reader.state() == State::kRefused) {
    return Refuse(work, reader.problem().status, reader.problem().error, reader.problem().detail);
  }
  may_go_on_ = may_go_on;
  // What was sent behind this request is not looked at before this one is answered.
  reads_on_ = may_go_on && work.begin == work.end && !table_.Crowded();
  {
    MutexLock lock(mu_);
    owed_ = true;  // before the handler, for it may be given before that returns
  }
  const Answer answer = CallHandler(work);
  if (answer.comes_later) return reads_on_ || AwaitAnswer();
  {
    MutexLock lock(mu_);
    owed_ = false;
  }
  if (answer.stream) {
    Stream(work, answer);
    return false;
  }
  return Send(work, answer, may_go_on);
}

void HttpConnection::Give(const Answer& answer) {
  HSW_CHECK(!answer.comes_later && !answer.stream, "whoever gives an answer has all of it");
  // In a crowd its thread is wanted elsewhere, and it does not look before the next request.
  bool goes_on = Compose(*work_, answer, may_go_on_ && !(reads_on_ && table_.Crowded()));
  const std::string& out = work_->out;
  ssize_t n = 0;
  do {
    n = ::send(fd_, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
    goes_on = false;
  } else if (const std::size_t sent = n < 0 ? 0 : static_cast<std::size_t>(n); sent < out.size()) {
    // Only the connection's own thread may wait for its peer.
    unsent_ = out.size() - sent;
    goes_on = false;
  }
  if (reads_on_) {
    phase_.store(Phase::kIdle);
    // As in WaitForRequest: read after the phase is set. This has its thread look.
    if (!goes_on || table_.Draining() || table_.Crowded()) ::shutdown(fd_, SHUT_RD);
  }
  work_->reader.Reset(table_.options().max_body);
  given_at_ = Steady::now();
  MutexLock lock(mu_);
  ends_ = !goes_on;
  owed_ = false;
  given_.NotifyOne();
}

bool HttpConnection::AwaitAnswer() {
  {
    MutexLock lock(mu_);
    while (owed_) given_.Wait(mu_);
    if (!ends_) return true;
  }
  if (const std::size_t unsent = std::exchange(unsent_, 0); unsent != 0) {
    SendAll(std::string_view(work_->out).substr(work_->out.size() - unsent));
  }
  return false;
}

Answer HttpConnection::CallHandler(const Workspace& work) {
  ServedRequest request = View(work);
  request.later = this;
  std::string reason;
  try {
    return table_.handler()(request);
  } catch (const Poco::Exception& e) {
    reason = e.displayText();
  } catch (const std::exception& e) {
    reason = e.what();
  } catch (...) {
    reason = "an exception that is not a std::exception";
  }
  log::Error("http_handler_failed", {{"server", table_.options().name}, {"path", request.path}, {"reason", reason}});
  Answer answer = ErrorAnswer(500, "internal", "a fault of the server; its log says more");
  answer.close = true;
  return answer;
}

bool HttpConnection::Refuse(Workspace& work, int status, std::string_view error, std::string_view detail) {
  linger_ = true;
  if (table_.options().on_refused) {
    try {
      table_.options().on_refused(View(work), status, error, detail);
    } catch (const std::exception& e) {
      log::Error("http_handler_failed", {{"server", table_.options().name}, {"reason", e.what()}});
    }
  }
  return Send(work, ErrorAnswer(status, error, detail), false);
}

bool HttpConnection::Compose(Workspace& work, const Answer& answer, bool keep_alive) const {
  keep_alive = keep_alive && !answer.close && !table_.Draining() && !cut_.load();
  std::string& out = work.out;
  out.assign("HTTP/1.1 ");
  AppendNumber(out, static_cast<std::size_t>(answer.status));
  out += ' ';
  out += Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
  out += "\r\nContent-Type: ";
  out += answer.content_type;
  if (answer.stream) {
    if (work.reader.http11()) out += "\r\nTransfer-Encoding: chunked";
  } else {
    out += "\r\nContent-Length: ";
    AppendNumber(out, answer.body.size());
  }
  if (answer.retry_after_seconds > 0) {
    out += "\r\nRetry-After: ";
    AppendNumber(out, static_cast<std::size_t>(answer.retry_after_seconds));
  }
  if (!answer.allow.empty()) {
    out += "\r\nAllow: ";
    out += answer.allow;
  }
  for (const auto& [name, value] : answer.headers) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (!keep_alive) {
    out += "\r\nConnection: close";
  } else if (!work.reader.http11()) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  if (work.reader.method() != "HEAD" && !answer.stream) out += answer.body;
  return keep_alive;
}

bool HttpConnection::Send(Workspace& work, const Answer& answer, bool keep_alive) {
  keep_alive = Compose(work, answer, keep_alive);
  const bool sent = SendAll(work.out);
  if (work.out.capacity() > kBuffer) std::string().swap(work.out);
  return sent && keep_alive;
}

bool HttpConnection::SendAll(std::string_view bytes) {
  std::optional<TimePoint> deadline;
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    if (!deadline) deadline = Steady::now() + table_.options().request_timeout;
    if (!PollUntil(fd_, POLLOUT, *deadline)) return false;
  }
  return true;
}

void HttpConnection::Stream(Workspace& work, const Answer& answer) {
  Send(work, answer, false);
  if (work.reader.method() == "HEAD") return;
  const bool chunked = work.reader.http11();
  bool open = true;
  std::string frame;
  const BodyWriter write = [&](std::string_view piece) {
    if (open && !piece.empty()) {
      frame.clear();
      if (chunked) {
        AppendNumber(frame, piece.size(), 16);
        frame += "\r\n";
      }
      frame += piece;
      if (chunked) frame += "\r\n";
      open = SendAll(frame);
    }
    return open && !cut_.load() && !table_.Draining();
  };
  try {
    answer.stream(write);
  } catch (const std::exception& e) {
    log::Error("http_handler_failed",
               {{"server", table_.options().name}, {"path", work.reader.path()}, {"reason", e.what()}});
    return;  // without the last chunk, so that the client sees a cut
  }
  if (open && chunked) SendAll("0\r\n\r\n");
}

void HttpConnection::Linger(Workspace& work) {
  ::shutdown(fd_, SHUT_WR);
  const TimePoint deadline = Steady::now() + kLinger;
  std::size_t seen = 0;
  while (seen < kLingerBytes && !table_.Draining()) {
    const ssize_t n = ::recv(fd_, work.buffer.data(), work.buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      seen += static_cast<std::size_t>(n);
      if (Steady::now() >= deadline) return;
    } else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ||
               !PollUntil(fd_, POLLIN, deadline)) {
      return;
    }
  }
}

void HttpConnection::CutIdle(bool fresh_too) {
  const Phase phase = phase_.load();
  if (phase == Phase::kServing || (phase == Phase::kFresh && !fresh_too)) return;
  cut_.store(true);
  // Only the reading side: a request that came in at this very moment is still read and answered.
  ::shutdown(fd_, SHUT_RD);
}

void HttpConnection::Cut() {
  cut_.store(true);
  ::shutdown(fd_, SHUT_RDWR);
}

}  // namespace hookswitch
