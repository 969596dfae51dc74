#include "core/config/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "core/config/loader.h"
#include "tests/config/memory_environment.h"
#include "tests/http/tls_server.h"

namespace hookswitch::config {
namespace {

using testing::HasSubstr;

constexpr const char* kStart = R"(sources: {bolna: {type: bolna, path: /hook}}
unmatched: {send: [ops]}
sinks:
  ops: {plugin: webhook, config: {url: "https://example.com/"}, )";

Loaded LoadWith(const MemoryEnvironment& files, const std::string& keys, bool secrets_optional = false) {
  MemoryEnvironment all = files;
  all.files["dir/hookswitch.yaml"] = kStart + keys + "}\n";
  Environment environment = all.Get();
  environment.secrets_optional = secrets_optional;
  return Load("dir/hookswitch.yaml", environment);
}

std::string LockedKeyPem(const Certificate& certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, certificate.key(), EVP_aes_128_cbc(), "geheim", 6, nullptr, nullptr);
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(count));
  BIO_free(bio);
  return text;
}

struct TransportTest : testing::Test {
  TransportTest() {
    files.files["dir/ca.pem"] = "# ours\n" + authority.Pem() + other.Pem();
    files.files["dir/cert.pem"] = own.Pem() + authority.Pem();
    files.files["dir/both.pem"] = own.KeyPem() + own.Pem();
    files.files["/etc/key.pem"] = own.KeyPem();
    files.files["dir/other.pem"] = other.KeyPem();
    files.files["dir/locked.pem"] = LockedKeyPem(own);
    files.variables["PROXY"] = "http://ann:pa%2Fss@proxy.example:3128\n";
    files.variables["KEY"] = own.KeyPem();
  }
  const Certificate authority = Certificate::Authority(), other = Certificate::Authority("another");
  const Certificate own = Certificate::For("client.example", &authority);
  MemoryEnvironment files;
};

TEST_F(TransportTest, FilesAreReadFromTheConfigsFolderAndKeptAsText) {
  const auto loaded =
      LoadWith(files, "tls: {ca: ca.pem, cert: {file: cert.pem}, key: /etc/key.pem}, proxy: {env: PROXY}");
  ASSERT_TRUE(loaded.config) << AllText(loaded.problems);
  const Transport& transport = loaded.config->sinks.at(0).transport;
  EXPECT_EQ(transport.ca, files.files["dir/ca.pem"]);
  EXPECT_EQ(transport.cert + '\n', files.files["dir/cert.pem"]);  // as a secret's file: without its last line break
  EXPECT_EQ(transport.key.Reveal(), own.KeyPem());
  EXPECT_EQ(transport.proxy.Reveal(), "http://ann:pa%2Fss@proxy.example:3128");
  EXPECT_THAT(AllText(loaded.problems), testing::Not(HasSubstr("sinks.ops")));
}

TEST_F(TransportTest, TheKeyMayStandBesideTheCertificateOrInAVariable) {
  for (const char* keys : {"tls: {cert: both.pem}", "tls: {cert: cert.pem, key: {env: KEY}}"}) {
    const auto loaded = LoadWith(files, keys);
    ASSERT_TRUE(loaded.config) << keys << AllText(loaded.problems);
    EXPECT_THAT(loaded.config->sinks.at(0).transport.key.Reveal(), HasSubstr("PRIVATE KEY")) << keys;
  }
}

TEST_F(TransportTest, AKeyThatDoesNotOpenIsToldWhereItIsNamed) {
  struct Case {
    const char* keys;
    const char* where;
    const char* words;
  };
  const Case cases[] = {
      {"tls: {cert: cert.pem, key: other.pem}",
       ":4:92: ", "sinks.ops.tls.key: dir/other.pem holds another private key than that of the certificate"},
      {"tls: {cert: cert.pem, key: locked.pem}",
       ":4:92: ", "sinks.ops.tls.key: dir/locked.pem holds a private key that is locked with a password"},
      {"tls: {cert: cert.pem, key: ca.pem}", ":4:92: ", "sinks.ops.tls.key: dir/ca.pem holds no private key"},
      {"tls: {cert: cert.pem}", ":4:77: ", "sinks.ops.tls.cert: dir/cert.pem holds no private key"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.keys);
    const auto loaded = LoadWith(files, test.keys);
    EXPECT_FALSE(loaded.config);
    EXPECT_THAT(AllText(loaded.problems), testing::AllOf(HasSubstr(test.where), HasSubstr(test.words)));
  }
}

TEST_F(TransportTest, WhereSecretsNeedNotBeFilesNeedNotBeEither) {
  const auto loaded = LoadWith({}, "tls: {ca: ca.pem, cert: cert.pem, key: key.pem}, proxy: {env: PROXY}", true);
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems);
}

}  // namespace
}  // namespace hookswitch::config
