#include "core/ingress/connection.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/PollSet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/ingress/content_encoding.h"
#include "core/ingress/poller.h"
#include "core/ingress/response_text.h"

namespace hookswitch {
namespace {

using Poco::Net::PollSet;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kLinger{1000}, kLingerInDrain{50};
constexpr milliseconds kLongestPauseInDrain{1000};
constexpr std::size_t kLingerBytes = 4 << 20;
constexpr std::size_t kKeptOut = 64 * 1024;
constexpr std::size_t kLarge = 64 * 1024;
constexpr int kRetrySeconds = 1;

bool WouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

Answer NoRoom() {
  Answer answer = ErrorAnswer(503, "unavailable", "too much at once; send it again");
  answer.retry_after_seconds = kRetrySeconds;
  return answer;
}

}  // namespace

/// An open response body, chunked for HTTP/1.1 clients.
class Connection::Body final : public BodyStream {
 public:
  explicit Body(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~Body() override { connection_->EndBody(); }
  bool Write(std::string_view piece) override { return connection_->WriteBody(piece); }

 private:
  const std::shared_ptr<Connection> connection_;
};

// Connection

Connection::Connection(std::shared_ptr<Poller> poller, const Poco::Net::StreamSocket& socket, Peer peer)
    : poller_(std::move(poller)),
      socket_(socket),
      fd_(static_cast<int>(socket.impl()->sockfd())),
      peer_(std::move(peer)) {}

void Connection::Open() {
  const TimePoint deadline = Steady::now() + poller_->options().keep_alive_timeout;
  {
    MutexLock lock(mu_);
    deadline_ = deadline;
  }
  poller_->MarkIncomplete(*this);
  poller_->Watch(*this, PollSet::POLL_READ);
  poller_->Look(*this, deadline);
}

void Connection::TurnAway(const Answer& answer) {
  MutexLock lock(mu_);
  Respond(answer, false);
  AfterSending();
}

ServedRequest Connection::View() const {
  static const std::vector<std::pair<std::string, std::string>> kNoHeaders;
  if (!reader_) return {{}, {}, {}, {}, peer_.address, kNoHeaders, peer_.user};
  return {.method = reader_->method(),
          .path = reader_->path(),
          .query = reader_->query(),
          .body = reader_->body(),
          .peer = peer_.address,
          .headers = reader_->headers(),
          .user = peer_.user,
          .target = reader_->target(),
          .body_dropped = reader_->body_dropped()};
}

bool Connection::MayGoOn() const {
  return reader_ && reader_->keep_alive();
}

// Reading. [thread: poller]

void Connection::OnReadable() {
  {
    MutexLock lock(mu_);
    switch (state_) {
      case State::kIdle:
      case State::kReading: break;
      case State::kServing:
        // A pipelined request is not read before the current one is answered.
        is_muted_ = true;
        return poller_->Watch(*this, 0);
      case State::kDelayed:
      case State::kSending: return;
      case State::kStreaming:
      case State::kLingering: {
        const ssize_t n = ::recv(fd_, poller_->scratch(), poller_->scratch_size(), MSG_DONTWAIT);
        if (n > 0) discarded_ += static_cast<std::size_t>(n);
        const bool over = n == 0 || (n < 0 && !WouldBlock() && errno != EINTR);
        if (over || discarded_ > kLingerBytes) Close();
        return;
      }
      case State::kClosed: return;
    }
  }
  Receive();
}

void Connection::Receive() {
  ssize_t n = 0;
  do {
    n = ::recv(fd_, poller_->scratch(), poller_->scratch_size(), MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && WouldBlock()) return;
  if (n > 0) {
    const std::string_view bytes(poller_->scratch(), static_cast<std::size_t>(n));
    if (pending_.empty()) return Advance(bytes);
    pending_ += bytes;
    const std::string all = std::exchange(pending_, {});
    return Advance(all);
  }
  bool is_reading = false;
  {
    MutexLock lock(mu_);
    is_reading = state_ == State::kReading;
    if (n < 0 || !is_reading) return Close();
  }
  reader_->End();
  Refuse(reader_->problem().status, reader_->problem().error, reader_->problem().detail);
}

void Connection::Advance(std::string_view bytes) {
  bool begins = false;
  {
    MutexLock lock(mu_);
    if (state_ == State::kIdle) {
      begins = true;
      state_ = State::kReading;
      deadline_ = Steady::now() + poller_->options().request_timeout;
    }
  }
  if (begins) {
    if (!reader_) {
      reader_ = std::make_unique<RequestReader>();
      reader_->Reset(poller_->options().max_body);
    }
    judged_ = encoded_ = has_drop_time_ = false;
  }
  while (Read(bytes) == Step::kGoOn) continue;
  if (poller_->Draining()) LimitPauses();
  if (!begins) return;
  MutexLock lock(mu_);
  if (state_ != State::kReading) return;  // most requests come in one piece
  poller_->MarkIncomplete(*this);
  poller_->Look(*this, deadline_);
}

/// Parses from `bytes` and acts on the result. kWait: nothing more to do for now; the rest is kept in `pending_`.
Connection::Step Connection::Read(std::string_view& bytes) {
  using State = RequestReader::State;
  const std::size_t used = reader_->Feed(bytes);
  bytes.remove_prefix(used);
  if (reader_->state() != State::kHead && reader_->state() != State::kRefused && !judged_) {
    pending_.assign(bytes);  // RespondEarly and the 100-continue check need to know whether more arrived
    if (JudgeHead() == Step::kWait) return Step::kWait;
    pending_.clear();
    if (reader_->state() == State::kHeadDone) return Step::kGoOn;
  }
  pending_.assign(bytes);
  switch (reader_->state()) {
    case State::kHeadDone:
    case State::kHead: break;
    case State::kBody:
      if (reader_->body_dropped()) GrantDropTime();
      if (!Count(reader_->body().size())) {
        RefuseForLackOfRoom();
      } else if (counted_ > kLarge) {
        poller_->MarkLarge(*this);
      }
      break;
    case State::kRefused: Refuse(reader_->problem().status, reader_->problem().error, reader_->problem().detail); break;
    case State::kComplete:
      if (!Count(reader_->body().size())) {
        RefuseForLackOfRoom();
      } else {
        Serve();
      }
      break;
  }
  return Step::kWait;
}

/// What only has to be read away may be much, from a sender that is slow.
void Connection::GrantDropTime() {
  if (std::exchange(has_drop_time_, true)) return;
  MutexLock lock(mu_);
  deadline_ = std::max(deadline_, Steady::now() + HeadVerdict::kDropTimeout);
}

/// Judges the head. kWait: the request is answered, or will be after a delay.
Connection::Step Connection::JudgeHead() {
  const HttpServerOptions& options = poller_->options();
  judged_ = true;
  if (poller_->head()) {
    HeadVerdict verdict{std::optional<Answer>()};
    try {
      verdict = poller_->head()(View());
    } catch (const std::exception& e) {
      log::Error("http_handler_failed", {{"server", options.name}, {"path", reader_->path()}, {"reason", e.what()}});
      verdict = {InternalError()};
    }
    context_ = std::move(verdict.context);
    if (verdict.answer) {
      RespondEarly(*verdict.answer, verdict.delay);
      return Step::kWait;
    }
    may_block_ = verdict.may_block;
    reader_->LimitBody(verdict.max_body.value_or(options.max_body), verdict.drop_large ? HeadVerdict::kMostDropped : 0);
  }
  reader_->CheckLength(options.length_required);
  if (reader_->state() == RequestReader::State::kRefused) return Step::kGoOn;
  const std::string_view encoding = View().Header("Content-Encoding");
  encoded_ = !encoding.empty() && !EqualsIgnoreCase(encoding, "identity");
  if (encoded_ && !KnowsEncoding(encoding)) {
    Refuse(415, "unsupported_encoding", "send the body as it is, or with Content-Encoding gzip or deflate");
    return Step::kWait;
  }
  if (reader_->state() == RequestReader::State::kHeadDone && reader_->expects_continue() && reader_->http11() &&
      pending_.empty()) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    // A socket that cannot take these bytes is broken; the next read shows it.
    [[maybe_unused]] const ssize_t sent = ::send(fd_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  return Step::kGoOn;
}

void Connection::RespondEarly(const Answer& answer, std::chrono::milliseconds delay) {
  if (delay.count() > 0) {
    // Counts as incomplete while it waits: it is closed before connections whose request is being served.
    poller_->MarkIncomplete(*this);
    delayed_ = std::make_unique<const Answer>(answer);
    const TimePoint at = Steady::now() + delay;
    {
      MutexLock lock(mu_);
      state_ = State::kDelayed;
      deadline_ = at;
      is_muted_ = true;
    }
    poller_->Watch(*this, 0);
    return poller_->Look(*this, at);
  }
  poller_->MarkComplete(*this);
  const bool whole = reader_->state() == RequestReader::State::kComplete;
  MutexLock lock(mu_);
  Respond(answer, whole && MayGoOn());
  AfterSending();
}

/// Charges `bytes` of this request's body to max_bodies. False if there is no room for them.
bool Connection::Count(std::size_t bytes) {
  const auto more = static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(std::exchange(counted_, bytes));
  return poller_->TakeBodyBytes(more) || more <= 0 || poller_->MakeRoomForBody(*this);
}

void Connection::Serve() {
  const HttpServerOptions& options = poller_->options();
  poller_->MarkComplete(*this);
  {
    MutexLock lock(mu_);
    state_ = State::kServing;
  }
  if (reader_->body_dropped()) encoded_ = false;
  const bool is_inline =
      options.inline_body && !encoded_ && !may_block_ && reader_->body().size() <= *options.inline_body;
  if (is_inline) return RunHandler();
  const bool is_urgent = options.is_urgent && options.is_urgent(View());
  (is_urgent ? poller_->urgent_pool() : poller_->pool()).Post([self = shared_from_this()] {
    if (!self->encoded_ || self->UndoEncoding()) self->RunHandler();
  });
}

bool Connection::UndoEncoding() {
  auto decoded = Decode(View().Header("Content-Encoding"), reader_->body(), reader_->max_body());
  if (decoded) {
    reader_->ReplaceBody(std::move(*decoded));
    return true;
  }
  const bool too_large = decoded.error().code == ErrorCode::kTooLarge;
  if (too_large && reader_->may_drop_body()) {
    reader_->DropBody();
    return true;
  }
  Refuse(too_large ? 413 : 400, too_large ? "too_large" : "invalid_encoding", decoded.error().message);
  return false;
}

void Connection::RunHandler() {
  std::string reason;
  try {
    return poller_->handler()(Responder(shared_from_this()));
  } catch (const Poco::Exception& e) {
    reason = e.displayText();
  } catch (const std::exception& e) {
    reason = e.what();
  } catch (...) {
    reason = "an exception that is not a std::exception";
  }
  log::Error("http_handler_failed", {{"server", poller_->options().name}, {"reason", reason}});
}

void Connection::Refuse(int status, std::string_view error, std::string_view detail, int retry_after_seconds) {
  if (poller_->options().on_refused) {
    try {
      poller_->options().on_refused(View(), status, error, detail);
    } catch (const std::exception& e) {
      log::Error("http_handler_failed", {{"server", poller_->options().name}, {"reason", e.what()}});
    }
  }
  Answer answer = ErrorAnswer(status, error, detail);
  answer.retry_after_seconds = retry_after_seconds;
  MutexLock lock(mu_);
  Respond(answer, false);
  AfterSending();
}

// Responding. [thread: any]

void Connection::Complete(const Answer& answer) {
  MutexLock lock(mu_);
  if (state_ != State::kServing) return EndRequest();  // cut meanwhile
  Respond(answer, MayGoOn());
  AfterSending();
}

/// Composes the response and sends what the socket takes.
void Connection::Respond(const Answer& answer, bool keep_alive) {
  if (state_ == State::kClosed) return;
  keeps_alive_ = keep_alive && !answer.close && !poller_->Draining();
  Compose(answer, keeps_alive_, /*is_stream=*/false);
  EndRequest();
  state_ = State::kSending;
  deadline_ = Steady::now() + poller_->options().request_timeout;
  if (!SendSome()) keeps_alive_ = false;
}

/// Releases the request: its buffers, its context and its share of max_bodies.
void Connection::EndRequest() {
  if (reader_) reader_->Reset(poller_->options().max_body);
  context_ = nullptr;
  poller_->TakeBodyBytes(-static_cast<std::ptrdiff_t>(std::exchange(counted_, 0)));
}

void Connection::AfterSending() {
  if (state_ != State::kSending) return;
  if (sent_ == out_.size() && keeps_alive_) {
    state_ = State::kIdle;
    deadline_ = Steady::now() + poller_->options().keep_alive_timeout;
    // The poller already watches the socket, unless input is waiting. Draining() is read after the state is set: either
    // this sees the drain, or the drain sees the state.
    if (pending_.empty() && !is_muted_ && !poller_->Draining()) return;
  }
  poller_->Post(shared_from_this());
}

bool Connection::SendSome() {
  while (sent_ < out_.size()) {
    const ssize_t n = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      sent_ += static_cast<std::size_t>(n);
    } else if (WouldBlock()) {
      return true;
    } else if (errno != EINTR) {
      sent_ = out_.size();
      return false;
    }
  }
  if (out_.capacity() > kKeptOut) std::string().swap(out_);
  out_.clear();
  sent_ = 0;
  return true;
}

void Connection::Compose(const Answer& answer, bool keep_alive, bool is_stream) {
  out_.clear();
  sent_ = 0;
  AppendResponse(out_, answer, poller_->options().headers,
                 {.http11 = !reader_ || reader_->http11(),
                  .keep_alive = keep_alive,
                  .is_head = reader_ && reader_->method() == "HEAD",
                  .is_stream = is_stream});
}

std::unique_ptr<BodyStream> Connection::Stream(const Answer& head, std::size_t max_unsent) {
  auto body = std::make_unique<Body>(shared_from_this());
  MutexLock lock(mu_);
  if (state_ != State::kServing) {
    EndRequest();
    return body;
  }
  const bool has_body = reader_->method() != "HEAD";
  chunked_ = has_body && reader_->http11();
  body_ended_ = !has_body;
  max_unsent_ = max_unsent;
  keeps_alive_ = false;
  Compose(head, false, /*is_stream=*/true);
  EndRequest();
  state_ = State::kStreaming;
  deadline_ = TimePoint::max();
  if (!SendSome()) body_ended_ = true;
  poller_->Post(shared_from_this());
  return body;
}

bool Connection::WriteBody(std::string_view piece) {
  MutexLock lock(mu_);
  if (state_ != State::kStreaming || body_ended_ || poller_->Draining()) return false;
  if (piece.empty()) return true;
  if (out_.size() - sent_ + piece.size() > max_unsent_) {
    // No last chunk, so the client can tell that the body was cut.
    body_ended_ = true;
    out_.clear();
    sent_ = 0;
    poller_->Post(shared_from_this());
    return false;
  }
  const bool was_sent = sent_ == out_.size();
  if (chunked_) {
    AppendChunk(out_, piece);
  } else {
    out_ += piece;
  }
  if (!was_sent) return true;  // the poller sends it with the rest
  if (!SendSome()) body_ended_ = true;
  if (body_ended_ || sent_ != out_.size()) poller_->Post(shared_from_this());
  return !body_ended_;
}

void Connection::EndBody() {
  MutexLock lock(mu_);
  if (state_ != State::kStreaming || std::exchange(body_ended_, true)) return;
  if (chunked_) out_ += kLastChunk;
  poller_->Post(shared_from_this());
}

// Continuing. [thread: poller]

void Connection::OnWritable() {
  OnPosted();
}

void Connection::OnPosted() {
  std::string bytes;
  {
    MutexLock lock(mu_);
    switch (state_) {
      case State::kServing:
      case State::kReading:
      case State::kDelayed:
      case State::kClosed: return;
      case State::kLingering: return;
      case State::kStreaming:
        if (!SendSome()) return Close();
        if (sent_ == out_.size() && body_ended_) return Linger();
        deadline_ = sent_ == out_.size() ? TimePoint::max() : Steady::now() + poller_->options().request_timeout;
        poller_->Look(*this, deadline_);
        return poller_->Watch(*this,
                              PollSet::POLL_READ | (sent_ == out_.size() ? 0 : static_cast<int>(PollSet::POLL_WRITE)));
      case State::kSending:
        if (!SendSome()) return Close();
        if (sent_ != out_.size()) {
          poller_->Look(*this, deadline_);
          return poller_->Watch(*this, PollSet::POLL_WRITE);
        }
        if (!keeps_alive_) return Linger();
        state_ = State::kIdle;
        deadline_ = Steady::now() + poller_->options().keep_alive_timeout;
        break;
      case State::kIdle: break;
    }
    poller_->MarkComplete(*this);
    is_muted_ = false;
    poller_->Watch(*this, PollSet::POLL_READ);
    poller_->Look(*this, deadline_);
    bytes.swap(pending_);
  }
  if (!bytes.empty()) return Advance(bytes);
  if (poller_->Draining()) CloseIfIdle();
}

Connection::TimePoint Connection::OnTimer(TimePoint now) {
  bool is_delayed = false, is_late = true;
  {
    MutexLock lock(mu_);
    switch (state_) {
      case State::kServing:
      case State::kClosed: return TimePoint::max();
      case State::kIdle:
      case State::kSending:
      case State::kStreaming:
      case State::kLingering:
        if (deadline_ > now) return deadline_;
        Close();
        return TimePoint::max();
      case State::kDelayed:
        if (deadline_ > now) return deadline_;
        is_delayed = true;
        break;
      case State::kReading:
        if (const TimePoint by = std::min(deadline_, more_by_); by > now) return by;
        is_late = deadline_ <= now;
        break;
    }
  }
  if (is_delayed) {
    const auto answer = std::move(delayed_);
    RespondEarly(*answer, {});
    return now + kLinger;
  }
  if (!is_late) {
    Refuse(503, "draining", "the server is going down", kRetrySeconds);
    return now + kLinger;
  }
  Refuse(408, "timeout", judged_ ? "the request's body took too long" : "the request's head took too long");
  return now + kLinger;
}

void Connection::RefuseForLackOfRoom() {
  poller_->CountNoRoom();
  MutexLock lock(mu_);
  Respond(NoRoom(), false);
  AfterSending();
}

void Connection::GiveWay() {
  MutexLock lock(mu_);
  if (state_ == State::kReading) {
    poller_->CountNoRoom();
    Respond(NoRoom(), false);
  }
  Close();
}

void Connection::LimitPauses() {
  MutexLock lock(mu_);
  if (state_ != State::kReading) return;
  more_by_ = Steady::now() + kLongestPauseInDrain;
  poller_->Look(*this, more_by_);
}

bool Connection::CloseIfIdle() {
  MutexLock lock(mu_);
  if (state_ != State::kIdle) return false;
  char first = 0;
  if (::recv(fd_, &first, 1, MSG_DONTWAIT | MSG_PEEK) > 0) return false;  // a request has just come
  Close();
  return true;
}

void Connection::Cut() {
  MutexLock lock(mu_);
  Close();
}

/// Half-closes, then discards input for a moment: closing a socket with unread bytes makes the kernel send a reset,
/// which can destroy the response before the client reads it.
void Connection::Linger() {
  poller_->MarkComplete(*this);
  state_ = State::kLingering;
  pending_.clear();
  discarded_ = 0;
  deadline_ = Steady::now() + (poller_->Draining() ? kLingerInDrain : kLinger);
  if (::shutdown(fd_, SHUT_WR) != 0) return Close();
  poller_->Watch(*this, PollSet::POLL_READ);
  poller_->Look(*this, deadline_);
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  // In kServing the Responder owns the request.
  const bool was_serving = state_ == State::kServing;
  state_ = State::kClosed;
  poller_->Watch(*this, 0);
  poller_->Forget(*this);
  if (!was_serving) EndRequest();
  try {
    socket_.close();
  } catch (const Poco::Exception&) {
    // The peer may already have reset the connection.
  }
}

}  // namespace hookswitch
