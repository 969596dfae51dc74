#include "core/ingress/poller.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

using Poco::Net::PollSet;
using Poco::Net::StreamSocket;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr int kAcceptsInATurn = 256;
constexpr int kRetryWhenFull = 1;
constexpr std::size_t kMostLeaving = 256;
constexpr std::size_t kScratch = 2 * RequestReader::kMaxUnused;
constexpr milliseconds kLongestSleep{1000};
constexpr milliseconds kNoDescriptorPause{20};
// A request that has been incomplete for this long may be closed to make room for other bodies.
constexpr milliseconds kStandsStill{1000};
// Small JSON values take about thirteen times the memory of their text. After kManyBodyBytes at once, free memory is
// returned to the system when less than kFewBodyBytes are left; not more often than kReleaseEvery, because reusing it
// costs page faults. And again, up to kReleases times: other threads (journal, search index, sinks) are done with the
// last bodies later.
constexpr std::uint64_t kManyBodyBytes = 2 << 20, kFewBodyBytes = 1 << 20;
constexpr milliseconds kReleaseEvery{1000};
constexpr int kReleases = 5;
constexpr int kLooksForIdle = 64;

/// The address without port, IPv4-mapped ones as IPv4; for a unix socket the user at its other end.
Connection::Peer PeerOf(int fd, const sockaddr_storage& from) {
  Connection::Peer peer;
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text, sizeof text);
    peer.address = text;
  } else if (from.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&address);
    ::inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? address.s6_addr + 12 : address.s6_addr, text, sizeof text);
    peer.address = text;
  } else {
    peer.address = "unix";
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
      std::array<char, 4096> buffer{};
      passwd entry{};
      passwd* found = nullptr;
      const int failed = ::getpwuid_r(credentials.uid, &entry, buffer.data(), buffer.size(), &found);
      peer.user = failed == 0 && found ? std::string(entry.pw_name) : std::to_string(credentials.uid);
    }
  }
  return peer;
}

}  // namespace

Poller::Poller(const HttpServerOptions& options, HeadHandler head, RequestHandler handler, Metrics& metrics)
    : options_(options),
      head_(std::move(head)),
      handler_(std::move(handler)),
      max_per_address_(options.max_per_address > 0 ? options.max_per_address
                                                   : std::max(options.max_connections / 4, 64)),
      open_gauge_(metrics.MakeGauge("hookswitch_http_connections", "Open connections.", {{"server", options.name}})),
      refused_(metrics.MakeCounter("hookswitch_http_connections_refused_total",
                                   "Connections answered 503 unread: too many were open, or the server was draining.",
                                   {{"server", options.name}})),
      no_room_(metrics.MakeCounter("hookswitch_http_requests_no_room_total",
                                   "Requests answered 503 half read: too many bodies at once, or connections.",
                                   {{"server", options.name}})),
      pool_("http-" + options.name, options.threads),
      urgent_pool_("http-" + options.name, options.urgent_threads),
      scratch_(kScratch) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    throw Poco::Net::NetException("no socket pair", errno);
  }
  wake_sender_ = pair[0];
  wake_receiver_ = StreamSocket(new Poco::Net::StreamSocketImpl(pair[1]));
  polled_.add(wake_receiver_, PollSet::POLL_READ);
}

Poller::~Poller() {
  ::close(wake_sender_);
}

void Poller::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Poller::AddListener(const Poco::Net::ServerSocket& listener) {
  MutexLock lock(mu_);
  new_listeners_.push_back(listener);
  Wake();
}

void Poller::BeginDrain() {
  MutexLock lock(mu_);
  draining_.store(true);
  drain_began_ = true;
  Wake();
}

bool Poller::WaitUntilEmpty(TimePoint deadline) {
  MutexLock lock(mu_);
  while (Open() > 0 && Steady::now() < deadline) changed_.WaitUntil(mu_, deadline);
  return Open() == 0;
}

void Poller::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    Wake();
  }
  if (thread_.joinable()) thread_.join();
  pool_.Stop();
  urgent_pool_.Stop();
}

std::uint64_t Poller::Passes() {
  // Read before waking the poller: if the requested pass were counted, the next caller might get the same number.
  const std::uint64_t passes = passes_.load(std::memory_order_relaxed);
  MutexLock lock(mu_);
  Wake();
  return passes;
}

void Poller::Post(std::shared_ptr<Connection> connection) {
  MutexLock lock(mu_);
  if (stopping_) return;
  posted_.push_back(std::move(connection));
  if (asleep_) Wake();
}

/// Ends the poller's sleep.
void Poller::Wake() {
  asleep_ = false;
  const char byte = 0;
  // A full socket buffer wakes it, too.
  [[maybe_unused]] const ssize_t sent = ::send(wake_sender_, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool Poller::TakeBodyBytes(std::ptrdiff_t bytes) {
  const auto now = body_bytes_.fetch_add(static_cast<std::uint64_t>(bytes), std::memory_order_relaxed) +
                   static_cast<std::uint64_t>(bytes);
  if (now > kManyBodyBytes) had_large_bodies_.store(true, std::memory_order_relaxed);
  return now <= options_.max_bodies;
}

// [thread: poller]

void Poller::Run() {
  NameThread(options_.name.c_str());
  for (;;) {
    {
      MutexLock lock(mu_);
      if (stopping_) break;
    }
    try {
      Turn();
    } catch (const Poco::Exception& e) {
      log::Error("http_server_error", {{"server", options_.name}, {"reason", e.displayText()}});
    } catch (const std::exception& e) {
      log::Error("http_server_error", {{"server", options_.name}, {"reason", e.what()}});
    }
    passes_.fetch_add(1, std::memory_order_relaxed);
  }
  std::vector<std::shared_ptr<Connection>> left;
  for (const auto& [socket, connection] : connections_) left.push_back(connection);
  for (const auto& connection : left) connection->Cut();
  for (auto& listener : listeners_) polled_.remove(listener);
  listeners_.clear();
  MutexLock lock(mu_);
  new_listeners_.clear();
  posted_.clear();
}

void Poller::Turn() {
  milliseconds patience = kLongestSleep;
  if (!timers_.empty() || accept_again_ != TimePoint::max()) {
    const TimePoint next = timers_.empty() ? accept_again_ : std::min(timers_.top().at, accept_again_);
    patience = std::clamp(std::chrono::ceil<milliseconds>(next - Steady::now()), milliseconds(0), patience);
  }
  {
    MutexLock lock(mu_);
    asleep_ = posted_.empty() && new_listeners_.empty() && !drain_began_ && !stopping_;
    if (!asleep_) patience = milliseconds(0);
  }
  const auto ready = polled_.poll(Poco::Timespan(patience.count() * 1000));
  {
    MutexLock lock(mu_);
    asleep_ = false;
  }
  for (const auto& [socket, modes] : ready) {
    if (socket == wake_receiver_) {
      while (::recv(static_cast<int>(wake_receiver_.impl()->sockfd()), scratch(), scratch_size(), MSG_DONTWAIT) > 0) {
      }
      continue;
    }
    const auto found = connections_.find(socket.impl());
    if (found == connections_.end()) {
      for (const auto& listener : listeners_) {
        if (listener == socket) Accept(listener);
      }
      continue;
    }
    const std::shared_ptr<Connection> connection = found->second;
    if ((modes & PollSet::POLL_WRITE) != 0) {
      connection->OnWritable();
    } else {
      connection->OnReadable();
    }
  }
  TakeCommands();
  FireTimers();
  ReleaseMemory();
}

void Poller::TakeCommands() {
  std::vector<std::shared_ptr<Connection>> posted;
  std::vector<Poco::Net::ServerSocket> new_listeners;
  bool drain_begins = false;
  {
    MutexLock lock(mu_);
    posted.swap(posted_);
    new_listeners.swap(new_listeners_);
    drain_begins = std::exchange(drain_began_, false);
  }
  for (auto& listener : new_listeners) {
    polled_.add(listener, PollSet::POLL_READ);
    listeners_.push_back(std::move(listener));
  }
  for (const auto& connection : posted) connection->OnPosted();
  if (!drain_begins) return;
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [socket, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) {
    connection->CloseIfIdle();
    connection->LimitPauses();
    connection->EndBody();
  }
}

void Poller::Accept(const Poco::Net::ServerSocket& listener) {
  const int listening = static_cast<int>(listener.impl()->sockfd());
  for (int i = 0; i < kAcceptsInATurn; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = ::accept4(listening, reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      Admit(fd, PeerOf(fd, from));
      continue;
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    // The listener stays readable; without a pause this would burn a core until a descriptor is free.
    if (MakeRoom()) continue;
    log::Debug("http_server_error", {{"server", options_.name}, {"reason", "no file descriptor is free"}});
    for (const auto& each : listeners_) polled_.remove(each);
    accept_again_ = Steady::now() + kNoDescriptorPause;
    return;
  }
}

void Poller::Admit(int fd, Connection::Peer peer) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  StreamSocket socket(new Poco::Net::StreamSocketImpl(fd));
  int& of_address = by_address_[peer.address];
  const bool crowd = Open() >= options_.max_connections / 4 * 3;
  // Where one address may hold all connections, MakeRoom closes one of them instead.
  const bool over_share = max_per_address_ < options_.max_connections && of_address >= max_per_address_;
  bool admitted = !Draining();
  if (admitted && (crowd || over_share) && options_.judge_peer) {
    const PeerKind kind = options_.judge_peer(peer.address);
    if (kind == PeerKind::kUnwanted && crowd) {
      if (of_address == 0) by_address_.erase(peer.address);
      if (options_.on_unwanted) options_.on_unwanted(peer.address);
      return;
    }
    admitted = kind == PeerKind::kProxy || !over_share;
  } else if (over_share) {
    admitted = false;
  }
  if (admitted && Full()) admitted = MakeRoom();
  peer.is_counted = admitted;
  if (admitted) {
    ++of_address;
    open_.fetch_add(1);
    open_gauge_.Set(Open());
  } else {
    if (of_address == 0) by_address_.erase(peer.address);
    refused_.Add();
    if (leaving_ >= kMostLeaving) return;  // without a response: each one costs a descriptor
    ++leaving_;
  }
  const auto connection = std::make_shared<Connection>(shared_from_this(), socket, std::move(peer));
  connections_.emplace(socket.impl(), connection);
  if (admitted) return connection->Open();
  Answer answer = Draining() ? ErrorAnswer(503, "draining", "the server is going down")
                             : ErrorAnswer(503, "unavailable", "too many connections");
  answer.retry_after_seconds = kRetryWhenFull;
  connection->TurnAway(answer);
}

/// Closes an incomplete or an idle connection. False if none was found.
bool Poller::MakeRoom() {
  const int before = Open();
  if (!incomplete_.empty()) {
    const auto oldest = incomplete_.front()->shared_from_this();  // closing removes it from the table
    oldest->GiveWay();
    return true;
  }
  int looks = 0;
  for (const auto& [socket, connection] : connections_) {
    const std::shared_ptr<Connection> kept = connection;
    if (kept->CloseIfIdle()) break;
    if (++looks == kLooksForIdle) break;
  }
  return Open() < before;
}

bool Poller::MakeRoomForBody(const Connection& wanting) {
  const auto stands_still = Steady::now() - kStandsStill;
  while (body_bytes_.load(std::memory_order_relaxed) > options_.max_bodies) {
    auto& from = large_.empty() ? incomplete_ : large_;
    if (from.empty()) return false;
    const auto oldest = from.front()->shared_from_this();
    if (oldest.get() == &wanting || oldest->notes.incomplete_since > stands_still) return false;
    oldest->GiveWay();
  }
  return true;
}

void Poller::FireTimers() {
  const TimePoint now = Steady::now();
  if (accept_again_ <= now) {
    accept_again_ = TimePoint::max();
    for (const auto& listener : listeners_) polled_.add(listener, PollSet::POLL_READ);
  }
  while (!timers_.empty() && timers_.top().at <= now) {
    const TimePoint at = timers_.top().at;
    const auto connection = timers_.top().connection.lock();
    timers_.pop();
    if (!connection || connection->notes.timer != at) continue;
    connection->notes.timer = TimePoint::max();
    // A thread that responds sets the idle deadline without calling Look; that deadline is not earlier than this time.
    Look(*connection, std::min(connection->OnTimer(now), now + options_.keep_alive_timeout));
  }
}

void Poller::ReleaseMemory() {
  if (had_large_bodies_.load(std::memory_order_relaxed)) releases_left_ = kReleases;
  if (releases_left_ == 0 || body_bytes_.load() > kFewBodyBytes) return;
  const TimePoint now = Steady::now();
  if (now < release_again_) return;
  release_again_ = now + kReleaseEvery;
  had_large_bodies_.store(false, std::memory_order_relaxed);
  --releases_left_;
  pool_.Post([] { ReleaseFreeMemory(); });
}

void Poller::Watch(Connection& connection, int modes) {
  int& watched = connection.notes.watched;
  if (watched == modes) return;
  // Without modes it is removed: poll would keep reporting a peer that has gone.
  if (watched == 0) {
    polled_.add(connection.socket(), modes);
  } else if (modes == 0) {
    polled_.remove(connection.socket());
  } else {
    polled_.update(connection.socket(), modes);
  }
  watched = modes;
}

void Poller::Look(Connection& connection, TimePoint at) {
  if (at >= connection.notes.timer || connections_.count(connection.socket().impl()) == 0) return;
  connection.notes.timer = at;
  timers_.push({at, connection.weak_from_this()});
}

void Poller::MarkIncomplete(Connection& connection) {
  auto& notes = connection.notes;
  if (notes.incomplete) return;
  notes.incomplete = incomplete_.insert(incomplete_.end(), &connection);
  notes.incomplete_since = Steady::now();
}

void Poller::MarkLarge(Connection& connection) {
  if (connection.notes.large) return;
  connection.notes.large = large_.insert(large_.end(), &connection);
}

void Poller::MarkComplete(Connection& connection) {
  auto& notes = connection.notes;
  if (notes.incomplete) incomplete_.erase(*notes.incomplete);
  if (notes.large) large_.erase(*notes.large);
  notes.incomplete.reset();
  notes.large.reset();
}

void Poller::Forget(Connection& connection) {
  MarkComplete(connection);
  if (connections_.erase(connection.socket().impl()) == 0) return;
  if (!connection.peer().is_counted) {
    --leaving_;
    return;
  }
  if (const auto found = by_address_.find(connection.peer().address); --found->second == 0) by_address_.erase(found);
  open_.fetch_sub(1);
  open_gauge_.Set(Open());
  MutexLock lock(mu_);
  changed_.NotifyAll();
}

}  // namespace hookswitch
