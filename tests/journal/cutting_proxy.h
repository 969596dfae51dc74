#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/sync.h"

namespace hookswitch::test {

/// Stands between a client and its PostgreSQL, on a port of 127.0.0.1, and fails where it is told to. Understands as
/// much of the protocol as to know where messages end, and which of them does something: Execute, and Sync, after which
/// the client waits for the answer. Without encryption. [thread: any]
class CuttingProxy {
 public:
  enum class Fault {
    kNone,
    kCut,      ///< after `count` messages and half of the next, both connections are closed
    kAnswer,   ///< all goes to the server, but the client is closed instead of getting the answer to the `count`th Sync
    kHold,     ///< after `count` messages the client is closed; what it has sent since goes to the server with Release
    kSwallow,  ///< nothing passes any more; connections are accepted and get no answer
  };

  explicit CuttingProxy(std::string server_port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::string Port() const { return std::to_string(port_); }
  /// From now on; messages that do something are counted, over all connections, without those of the login.
  void Arm(Fault fault, std::size_t count = 0);
  /// Whether the fault has happened since.
  bool HasCut();
  /// Whether what is held is a transaction whose COMMIT was sent.
  bool HoldsCommit();
  /// Held messages go to the server once it has answered a statement of another connection that has `text`.
  void ReleaseAfter(std::string text);
  /// Sends what is held now, and waits until the server has answered or closed.
  void Release();

 private:
  struct Link;
  void Run();
  bool FromClient(Link& link) REQUIRES(mu_);
  bool FromServer(Link& link) REQUIRES(mu_);
  bool Pass(Link& link, std::string_view message) REQUIRES(mu_);
  void ReleaseHeld() REQUIRES(mu_);
  void Accept() REQUIRES(mu_);

  const std::string server_port_;
  int listener_ = -1;
  int port_ = 0;
  int wake_[2] = {-1, -1};
  Mutex mu_;
  Fault fault_ GUARDED_BY(mu_) = Fault::kNone;
  std::size_t left_ GUARDED_BY(mu_) = 0;
  bool has_cut_ GUARDED_BY(mu_) = false;
  std::string release_after_ GUARDED_BY(mu_);
  std::vector<Link> links_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace hookswitch::test
