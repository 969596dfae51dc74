#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "tests/http/raw_server.h"

namespace hookswitch {

/// A certificate and its key, made on the spot; valid for a day around now.
class Certificate {
 public:
  /// Vouches for others.
  static Certificate Authority(const std::string& name = "hookswitch test authority");
  /// For one host, an IP address or a name. Signed by `issuer`, by itself if there is none.
  static Certificate For(const std::string& host, const Certificate* issuer = nullptr);

  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }
  std::string Pem() const;
  std::string KeyPem() const;

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  static Certificate Make(const std::string& name, const std::string& alt_name, const Certificate* issuer);

  std::unique_ptr<X509, Free> certificate_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

/// Speaks TLS on 127.0.0.1 and answers 200 to every request of whoever completes the handshake.
class TlsServer {
 public:
  /// `clients_of`: who must have issued the certificate that a client shows; nullptr: none is asked for. `most`: the
  /// newest version of TLS.
  explicit TlsServer(const Certificate& certificate, const Certificate* clients_of = nullptr,
                     int most = TLS1_3_VERSION);
  /// Called before each handshake. Set it before the first client comes.
  std::function<void()> before_handshake;
  std::string Url() const;
  int connections() const { return server_->connections(); }
  int requests() const { return requests_; }  ///< bytes of a request arrived
  /// Ends the server: what was counted is final.
  void Stop() { server_.reset(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  void Serve(RawConnection& connection);

  std::unique_ptr<SSL_CTX, Free> context_;
  std::atomic<int> requests_{0};
  std::unique_ptr<RawServer> server_;  ///< the last: its threads use what stands above
};

}  // namespace hookswitch
