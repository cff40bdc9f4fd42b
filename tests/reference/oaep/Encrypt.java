import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;

/** Encrypts texts as Java clients do: java Encrypt.java <Base64 SubjectPublicKeyInfo> <text>... prints JSON lines. */
public class Encrypt {
  private static final String TRANSFORMATION = "RSA/ECB/OAEPWithSHA-256AndMGF1Padding";

  public static void main(String[] arguments) throws Exception {
    byte[] spki = Base64.getDecoder().decode(arguments[0]);
    PublicKey key = KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(spki));
    OAEPParameterSpec explicit =
        new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
    for (int index = 1; index < arguments.length; index += 1) {
      String text = arguments[index];
      Cipher byDefault = Cipher.getInstance(TRANSFORMATION);
      byDefault.init(Cipher.ENCRYPT_MODE, key); // As the documents' sample: the mask is made with SHA-1.
      print("java-default", text, byDefault);
      Cipher spelledOut = Cipher.getInstance(TRANSFORMATION);
      spelledOut.init(Cipher.ENCRYPT_MODE, key, explicit);
      print("java-explicit", text, spelledOut);
    }
  }

  private static void print(String by, String text, Cipher cipher) throws Exception {
    byte[] ciphertext = cipher.doFinal(text.getBytes(StandardCharsets.UTF_8));
    System.out.println(by + " " + Base64.getEncoder().encodeToString(ciphertext));
  }
}
