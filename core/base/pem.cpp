#include "core/base/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace hookswitch {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;

BioPtr Reading(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Without a callback OpenSSL prompts for the password on the terminal.
int NoPassword(char*, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

CertificatePtr Next(BIO* from) {
  bool ignored = false;
  return CertificatePtr(PEM_read_bio_X509_AUX(from, nullptr, &NoPassword, &ignored));
}

/// The text of OpenSSL's last error.
std::string LastError() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason ? reason : "unknown error";
}

}  // namespace

std::string FaultOfCertificates(const std::string& pem) {
  ERR_clear_error();
  const BioPtr from = Reading(pem);
  int count = 0;
  while (Next(from.get())) ++count;
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string error = LastError();
  ERR_clear_error();
  if (!at_end) return "holds a certificate that cannot be read: " + error;
  return count > 0 ? "" : "holds no certificate (-----BEGIN CERTIFICATE-----)";
}

std::string FaultOfKey(const std::string& pem, const std::string& certificates) {
  ERR_clear_error();
  bool asks = false;
  const KeyPtr key(PEM_read_bio_PrivateKey(Reading(pem).get(), nullptr, &NoPassword, &asks));
  const std::string error = LastError();
  ERR_clear_error();
  if (asks) return "holds a private key that is locked with a password; openssl pkey -in OLD -out NEW takes it off";
  if (!key) {
    const bool none = pem.find("PRIVATE KEY-----") == std::string::npos;
    return none ? "holds no private key (-----BEGIN PRIVATE KEY-----)"
                : "holds a private key that cannot be read: " + error;
  }
  const CertificatePtr certificate = Next(Reading(certificates).get());
  const bool fits = certificate && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits ? "" : "holds another private key than that of the certificate";
}

}  // namespace hookswitch
