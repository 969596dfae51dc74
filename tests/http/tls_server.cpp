#include "tests/http/tls_server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/base/check.h"

namespace hookswitch {
namespace {

void Extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  HSW_CHECK(extension && X509_add_ext(certificate, extension, -1) == 1, "the extension is well written");
  X509_EXTENSION_free(extension);
}

bool IsAddress(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

template <class Write>
std::string Written(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  HSW_CHECK(bio && write(bio) == 1, "memory does not run out");
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(count));
  BIO_free(bio);
  return text;
}

}  // namespace

Certificate Certificate::Authority(const std::string& name) {
  return Make(name, "", nullptr);
}

Certificate Certificate::For(const std::string& host, const Certificate* issuer) {
  return Make(host, (IsAddress(host) ? "IP:" : "DNS:") + host, issuer);
}

Certificate Certificate::Make(const std::string& name, const std::string& alt_name, const Certificate* issuer) {
  static std::atomic<long> serial{1};
  constexpr long kDay = 86'400;
  Certificate made;
  made.key_.reset(EVP_EC_gen("P-256"));
  made.certificate_.reset(X509_new());
  X509* x509 = made.certificate();
  HSW_CHECK(x509 && made.key(), "memory does not run out");
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(x509), kDay);
  X509_set_pubkey(x509, made.key());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* by = issuer ? issuer->certificate() : x509;
  X509_set_issuer_name(x509, X509_get_subject_name(by));
  Extend(x509, by, NID_basic_constraints, alt_name.empty() ? "critical,CA:TRUE" : "critical,CA:FALSE");
  Extend(x509, by, NID_subject_key_identifier, "hash");
  if (!alt_name.empty()) Extend(x509, by, NID_subject_alt_name, alt_name.c_str());
  HSW_CHECK(X509_sign(x509, issuer ? issuer->key() : made.key(), EVP_sha256()) > 0, "the key fits");
  return made;
}

std::string Certificate::Pem() const {
  return Written([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate()); });
}

std::string Certificate::KeyPem() const {
  return Written(
      [this](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key(), nullptr, nullptr, 0, nullptr, nullptr); });
}

TlsServer::TlsServer(const Certificate& certificate, const Certificate* clients_of, int most)
    : context_(SSL_CTX_new(TLS_server_method())) {
  HSW_CHECK(context_ && SSL_CTX_use_certificate(context_.get(), certificate.certificate()) == 1 &&
                SSL_CTX_use_PrivateKey(context_.get(), certificate.key()) == 1,
            "the certificate and its key fit");
  SSL_CTX_set_max_proto_version(context_.get(), most);
  if (clients_of) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), clients_of->certificate());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    static constexpr unsigned char kSessions[] = "test";
    SSL_CTX_set_session_id_context(context_.get(), kSessions, sizeof kSessions);
  }
  server_ = std::make_unique<RawServer>([this](RawConnection& connection) { Serve(connection); });
}

std::string TlsServer::Url() const {
  return "https://127.0.0.1:" + std::to_string(server_->port()) + "/hook";
}

void TlsServer::Serve(RawConnection& connection) {
  if (before_handshake) before_handshake();
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), &SSL_free);
  HSW_CHECK(ssl && SSL_set_fd(ssl.get(), connection.fd()) == 1, "memory does not run out");
  if (SSL_accept(ssl.get()) != 1) {
    // One that closes with something unread resets the connection, and the client may never see the alert.
    return connection.AwaitClose();
  }
  std::string seen(16384, '\0');
  // A small request comes in one record.
  while (SSL_read(ssl.get(), seen.data(), static_cast<int>(seen.size())) > 0) {
    ++requests_;
    static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    SSL_write(ssl.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
  }
  SSL_shutdown(ssl.get());
}

}  // namespace hookswitch
