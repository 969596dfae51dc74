#include "tests/journal/cutting_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/base/check.h"

namespace hookswitch::test {
namespace {

constexpr int kForever = -1;
constexpr int kAnswerMs = 20'000;

/// "" at the end of the stream.
std::string Read(int fd) {
  std::array<char, 65'536> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

bool Write(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::uint32_t LengthAt(std::string_view bytes, std::size_t at) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
  return length;
}

/// Whether `tail` and `bytes` end with ReadyForQuery: the server has answered all that it was sent. Keeps the tail.
bool EndsAnswer(std::string& tail, std::string_view bytes) {
  constexpr std::size_t kSize = 6;
  tail += bytes;
  tail.erase(0, tail.size() - std::min(tail.size(), kSize));
  return tail.starts_with(std::string_view("Z\0\0\0\5", kSize - 1));
}

}  // namespace

struct CuttingProxy::Link {
  int client = -1, server = -1;
  bool has_begun = false;     ///< its first message, which has no type, has passed
  bool is_ours = false;       ///< past its login: counted
  std::string unread;         ///< from the client: less than a message
  std::string held;           ///< for the server, later
  std::string tail;           ///< of what the server has sent
  bool commits = false;       ///< its last transaction was to end
  bool drops_answer = false;  ///< of the answer that is under way the client gets nothing
  bool is_watched = false;    ///< its next answer releases what others hold
};

CuttingProxy::CuttingProxy(std::string server_port) : server_port_(std::move(server_port)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  HSW_CHECK(::bind(listener_, generic, size) == 0 && ::listen(listener_, 64) == 0, "the kernel has a port");
  HSW_CHECK(::getsockname(listener_, generic, &size) == 0, "it is bound");
  port_ = ntohs(address.sin_port);
  HSW_CHECK(::pipe2(wake_, O_CLOEXEC) == 0, "there are descriptors");
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
  MutexLock lock(mu_);
  for (const Link& link : links_) {
    ::close(link.client);
    ::close(link.server);
  }
}

void CuttingProxy::Arm(Fault fault, std::size_t count) {
  MutexLock lock(mu_);
  fault_ = fault;
  left_ = count;
  has_cut_ = false;
}

bool CuttingProxy::HasCut() {
  MutexLock lock(mu_);
  return has_cut_;
}

bool CuttingProxy::HoldsCommit() {
  MutexLock lock(mu_);
  return std::ranges::any_of(links_, [](const Link& link) { return !link.held.empty() && link.commits; });
}

void CuttingProxy::ReleaseAfter(std::string text) {
  MutexLock lock(mu_);
  release_after_ = std::move(text);
}

void CuttingProxy::Release() {
  MutexLock lock(mu_);
  ReleaseHeld();
}

void CuttingProxy::ReleaseHeld() {
  for (Link& link : links_) {
    if (link.held.empty()) continue;
    (void)Write(link.server, std::exchange(link.held, {}));
    for (std::string answer = "?"; !answer.empty() && !EndsAnswer(link.tail, answer);) {
      pollfd polled{link.server, POLLIN, 0};
      HSW_CHECK(::poll(&polled, 1, kAnswerMs) == 1, "a server answers what it was sent");
      answer = Read(link.server);
    }
    ::shutdown(link.server, SHUT_RDWR);
  }
}

void CuttingProxy::Accept() {
  Link& link = links_.emplace_back();
  link.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  link.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(server_port_)));
  // If the server is away, the first read says so.
  (void)::connect(link.server, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int on = 1;
  for (const int fd : {link.client, link.server}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// False: both ends are to be closed.
bool CuttingProxy::FromClient(Link& link) {
  const std::string bytes = Read(link.client);
  if (bytes.empty()) {
    if (link.held.empty()) return false;
    ::close(std::exchange(link.client, -1));
    return true;
  }
  link.unread += bytes;
  for (;;) {
    const std::size_t type = link.has_begun ? 1 : 0;
    if (link.unread.size() < type + 4) return true;
    const std::size_t size = type + LengthAt(link.unread, type);
    if (link.unread.size() < size) return true;
    const std::string message = link.unread.substr(0, size);
    link.unread.erase(0, size);
    link.has_begun = true;
    if (!Pass(link, message)) return false;
  }
}

bool CuttingProxy::Pass(Link& link, std::string_view message) {
  constexpr char kExecute = 'E', kSync = 'S', kTerminate = 'X';
  if (fault_ == Fault::kSwallow) return true;
  const auto hold = [&] {
    if (message[0] != kTerminate) link.held += message;
    if (message[0] == kSync) ::shutdown(link.client, SHUT_RDWR);
    return true;
  };
  for (const bool commits : {false, true}) {
    if (message.find(commits ? "COMMIT" : "BEGIN") != std::string_view::npos) link.commits = commits;
  }
  if (!link.held.empty()) return hold();
  if (!release_after_.empty() && message.find(release_after_) != std::string_view::npos) {
    link.is_watched = true;
    release_after_.clear();
  }
  const bool counts = link.is_ours && (message[0] == kExecute || message[0] == kSync);
  if (counts && !has_cut_ && fault_ == Fault::kCut && left_-- == 0) {
    has_cut_ = true;
    (void)Write(link.server, message.substr(0, message.size() / 2));
    return false;
  }
  if (counts && !has_cut_ && fault_ == Fault::kHold && left_-- == 0) {
    has_cut_ = true;
    return hold();
  }
  if (counts && !has_cut_ && fault_ == Fault::kAnswer && message[0] == kSync && left_-- == 0) {
    has_cut_ = true;
    link.drops_answer = true;
  }
  return Write(link.server, message);
}

bool CuttingProxy::FromServer(Link& link) {
  const std::string bytes = Read(link.server);
  if (bytes.empty()) return false;
  if (fault_ == Fault::kSwallow) return true;
  const bool is_end = EndsAnswer(link.tail, bytes);
  link.is_ours = link.is_ours || is_end;
  if (link.drops_answer) return !is_end;
  if (std::exchange(link.is_watched, false)) ReleaseHeld();
  return link.client < 0 || Write(link.client, bytes);
}

void CuttingProxy::Run() {
  for (;;) {
    std::vector<pollfd> polled{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    {
      MutexLock lock(mu_);
      for (const Link& link : links_) {
        polled.push_back({link.client, POLLIN, 0});
        polled.push_back({link.server, POLLIN, 0});
      }
    }
    if (::poll(polled.data(), polled.size(), kForever) < 0) return;
    if (polled[0].revents != 0) return;
    MutexLock lock(mu_);
    const std::size_t before = links_.size();
    for (std::size_t i = 0; i < before; ++i) {
      Link& link = links_[i];
      bool stays = true;
      if (polled[2 + 2 * i].revents != 0) stays = FromClient(link);
      if (stays && polled[3 + 2 * i].revents != 0) stays = FromServer(link);
      if (stays) continue;
      for (int* fd : {&link.client, &link.server}) {
        if (*fd >= 0) ::close(*fd);
        *fd = -1;
      }
    }
    if (polled[1].revents != 0) Accept();
    std::erase_if(links_, [](const Link& link) { return link.server < 0; });
  }
}

}  // namespace hookswitch::test
