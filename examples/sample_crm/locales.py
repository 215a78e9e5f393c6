"""People, places and companies in a dozen scripts: word lists only.

A word may carry its spelling in ASCII after a colon (``محمد:mohammed``); words in Latin letters derive it.
Places are ``ISO-2|city|state|postcode|latitude|longitude``.
"""
# ruff: noqa: RUF001 -- letters that look like Latin ones are the point of these lists

import unicodedata
from dataclasses import dataclass
from typing import NamedTuple


class Word(NamedTuple):
    """A word in its own script, and in ASCII for mail addresses and web sites."""

    native: str
    ascii: str


class Place(NamedTuple):
    """A city with a plausible postcode."""

    iso2: str
    city: str
    state: str
    zip: str
    latitude: str
    longitude: str


@dataclass(frozen=True, slots=True)
class Locale:
    """What the people and companies of one language are called. ``language`` is the CRM's name of it, or ''."""

    code: str
    language: str
    weight: int
    firsts: tuple[Word, ...]
    lasts: tuple[Word, ...]
    nouns: tuple[Word, ...]
    suffixes: tuple[str, ...]
    streets: tuple[str, ...]
    places: tuple[Place, ...]


def ascii_word(text: str) -> str:
    """Return the text's letters and digits in ASCII, lower case.

    >>> ascii_word("Éloïse Œ")
    'eloise'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalnum())


def _words(text: str) -> tuple[Word, ...]:
    words = []
    for part in text.split(","):
        native, _, latin = part.strip().partition(":")
        words.append(Word(native, latin or ascii_word(native)))
    return tuple(words)


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _places(text: str) -> tuple[Place, ...]:
    return tuple(Place(*line.strip().split("|")) for line in text.strip().splitlines())


LOCALES: tuple[Locale, ...] = (
    Locale(
        "en",
        "",
        26,
        _words("Olivia,Liam,Amelia,Noah,Grace,Oscar,Ruby,Ethan,Harriet,Caleb,Siobhán,Zoë,Thabo,Priya,Aroha,Wei Lin"),
        _words("O'Connor,Whitfield,Okafor,Bennett,Kaur,MacLeod,Harper,Nguyen,Fitzgerald,Dlamini,Brontë,Sinclair,Walsh"),
        _words("Northwind,Harbour,Summit,Bluegum,Lighthouse,Foundry,Maple,Cobalt,Granite,Orchard,Beacon,Tidewater"),
        _texts("Ltd,LLC,Inc.,Pty Ltd,Group,& Sons,Holdings,Studio 🚀,Partners"),
        _texts("High Street,Station Road,Main Street,King's Parade,Harbour View,Industrial Park Rd,Elm Avenue"),
        _places("""
        GB|London|Greater London|EC2A 4NE|51.5074|-0.1278
        GB|Edinburgh|Scotland|EH1 1YZ|55.9533|-3.1883
        US|Austin|Texas|78701|30.2672|-97.7431
        US|Portland|Oregon|97205|45.5152|-122.6784
        CA|Toronto|Ontario|M5V 2T6|43.6532|-79.3832
        AU|Melbourne|Victoria|3000|-37.8136|144.9631
        NZ|Wellington|Wellington|6011|-41.2866|174.7756
        IE|Dublin|Leinster|D02 X285|53.3498|-6.2603
        ZA|Cape Town|Western Cape|8001|-33.9249|18.4241
        NG|Lagos|Lagos|100001|6.5244|3.3792
        """),
    ),
    Locale(
        "ar",
        "arabic",
        22,
        _words(
            "محمد:mohammed,أحمد:ahmed,فاطمة:fatima,عائشة:aisha,يوسف:youssef,ليلى:layla,خالد:khaled,نورة:noura,"
            "عمر:omar,سارة:sara,حمدان:hamdan,مريم:maryam"
        ),
        _words(
            "المنصوري:almansoori,الهاشمي:alhashimi,حداد:haddad,النعيمي:alnuaimi,خوري:khoury,الشامسي:alshamsi,"
            "بن زايد:binzayed,العتيبي:alotaibi,منصور:mansour,الفاسي:elfassi"
        ),
        _words(
            "الواحة:alwaha,النخيل:alnakheel,الخليج:alkhaleej,الأفق:alufuq,الصقر:alsaqr,اللؤلؤة:allulua,الريادة:alreyada,"
            "البحر:albahr,المدار:almadar"
        ),
        _texts("للتجارة ذ.م.م,والشركاء,القابضة,للمقاولات,للتقنية,ش.م.ع"),
        _texts("شارع الشيخ زايد,شارع الكورنيش,طريق الملك فهد,شارع الاستقلال,حي الزهور"),
        _places("""
        AE|دبي|دبي|00000|25.2048|55.2708
        AE|أبو ظبي|أبو ظبي|00000|24.4539|54.3773
        SA|الرياض|منطقة الرياض|11564|24.7136|46.6753
        EG|القاهرة|القاهرة|11511|30.0444|31.2357
        QA|الدوحة|الدوحة|00000|25.2854|51.5310
        LB|بيروت|بيروت|1107 2180|33.8938|35.5018
        MA|الدار البيضاء|الدار البيضاء-سطات|20250|33.5731|-7.5898
        """),
    ),
    Locale(
        "fr",
        "french",
        12,
        _words("Éloïse,François,Zoé,Jérôme,Anaïs,Léa,Benoît,Maël,Aïcha,Théo,Chloé,Solène"),
        _words("Lefèvre,Dubois,Müller,N'Diaye,Garçon,Béranger,de la Tour,Rousseau,Fontaine,Crépin,Levêque"),
        _words("Lumière,Étoile,Bôn Pain,Rivière,Fougère,Hôtel d'Or,Cœur,Forêt,Château,Crème"),
        _texts("SARL,SAS,& Cie,SA,Frères,Café ☕"),
        _texts("rue de la Paix,avenue des Champs-Élysées,quai Voltaire,rue de l'Église,boulevard Saint-Michel"),
        _places("""
        FR|Paris|Île-de-France|75011|48.8566|2.3522
        FR|Orléans|Centre-Val de Loire|45000|47.9029|1.9093
        BE|Liège|Wallonie|4000|50.6326|5.5797
        CH|Genève|Genève|1204|46.2044|6.1432
        SN|Dakar|Dakar|12500|14.7167|-17.4677
        """),
    ),
    Locale(
        "de",
        "german",
        12,
        _words("Jürgen,Anneliese,Björn,Käthe,Günther,Sören,Mareike,Florian,Änne,Lukas,Ulrike"),
        _words("Müller,Großmann,Schäfer,Weiß,Öztürk,Krüger,Böhm,Vogel,Jäger,Lindström,Köhler"),
        _words("Brücken,Süd,Nordlicht,Mühlen,Weiß,Präzision,Königs,Grün,Fräs,Löwen"),
        _texts("GmbH,AG,GmbH & Co. KG,e.K.,KG"),
        _texts("Hauptstraße,Münchner Straße,Am Bahnhof,Schloßallee,Gärtnerweg"),
        _places("""
        DE|München|Bayern|80331|48.1351|11.5820
        DE|Köln|Nordrhein-Westfalen|50667|50.9375|6.9603
        AT|Wien|Wien|1010|48.2082|16.3738
        CH|Zürich|Zürich|8001|47.3769|8.5417
        """),
    ),
    Locale(
        "es",
        "spanish",
        10,
        _words("José,María,Íñigo,Lucía,Ángel,Begoña,Núria,Andrés,Sofía,Raúl,Xóchitl"),
        _words("Muñoz,Ibáñez,Peña,García,Núñez,López,Zúñiga,Álvarez,Domínguez,Ordóñez"),
        _words("Sol,Montaña,Ñandú,Azulejo,Olivar,Cañón,Océano,Pirámide,Jardín"),
        _texts("S.L.,S.A.,S.A. de C.V.,e Hijos,SpA"),
        _texts("Calle Mayor,Paseo de la Castellana,Avenida Reforma,Carrera 7,Calle Corrientes"),
        _places("""
        ES|Málaga|Andalucía|29001|36.7213|-4.4214
        ES|A Coruña|Galicia|15001|43.3623|-8.4115
        MX|Ciudad de México|CDMX|06600|19.4326|-99.1332
        CO|Bogotá|Cundinamarca|110111|4.7110|-74.0721
        AR|Buenos Aires|Buenos Aires|C1043|-34.6037|-58.3816
        """),
    ),
    Locale(
        "pt",
        "portuguese",
        6,
        _words("João,Conceição,Antônio,Inês,Estêvão,Glória,Luís,Mônica"),
        _words("Gonçalves,Magalhães,Araújo,Simões,Brandão,Leitão,Guimarães"),
        _words("Sabiá,Coração,Açaí,Maré,Estação,Ipê,Pão Quente"),
        _texts("Ltda.,S.A.,Lda.,ME"),
        _texts("Rua Augusta,Avenida Paulista,Praça da Sé,Rua do Ouro"),
        _places("""
        BR|São Paulo|SP|01310-100|-23.5505|-46.6333
        BR|Brasília|DF|70040-010|-15.7939|-47.8828
        PT|Évora|Alentejo|7000-655|38.5714|-7.9135
        """),
    ),
    Locale(
        "cyrillic",
        "bulgarian",
        7,
        _words("Иван:ivan,Мария:mariya,Георги:georgi,Олена:olena,Айгуль:aigul,Дмитрий:dmitriy,Светлана:svetlana"),
        _words("Петров:petrov,Шевченко:shevchenko,Иванова:ivanova,Жуков:zhukov,Ђорђевић:djordjevic,Нурланов:nurlanov"),
        _words("Звезда:zvezda,Родопи:rodopi,Север:sever,Ладья:ladya,Чайка:chaika,Дунав:dunav"),
        _texts("ООД,ЕООД,ТОВ,ТОО,АД"),
        _texts("бул. Витоша,вул. Хрещатик,пр. Абая,ул. Кнеза Михаила"),
        _places("""
        BG|София|София-град|1000|42.6977|23.3219
        UA|Київ|Київ|01001|50.4501|30.5234
        KZ|Алматы|Алматы|050000|43.2220|76.8512
        RS|Београд|Београд|11000|44.7866|20.4489
        """),
    ),
    Locale(
        "el",
        "greek",
        4,
        _words("Ελένη:eleni,Γιώργος:giorgos,Κατερίνα:katerina,Νίκος:nikos,Σοφία:sofia"),
        _words("Παπαδόπουλος:papadopoulos,Οικονόμου:oikonomou,Ξενάκης:xenakis,Θεοδωράκη:theodoraki"),
        _words("Αιγαίο:aigaio,Ελιά:elia,Όλυμπος:olympos,Φάρος:faros"),
        _texts("Α.Ε.,Ε.Π.Ε.,Ο.Ε."),
        _texts("Ερμού,Λεωφόρος Κηφισίας,Πανεπιστημίου"),
        _places("""
        GR|Αθήνα|Αττική|105 63|37.9838|23.7275
        CY|Λευκωσία|Λευκωσία|1010|35.1856|33.3823
        """),
    ),
    Locale(
        "zh",
        "chinese",
        5,
        _words("伟:wei,芳:fang,娜:na,强:qiang,敏:min,静:jing,俊杰:junjie"),
        _words("王:wang,李:li,张:zhang,刘:liu,陳:chan,𠮷田:yoshida"),
        _words("長城:changcheng,星河:xinghe,龍門:longmen,云海:yunhai,東方:dongfang"),
        _texts("有限公司,集团,科技股份有限公司"),
        _texts("南京东路,中山路,長安街,彌敦道"),
        _places("""
        CN|上海|上海市|200001|31.2304|121.4737
        HK|香港|九龍|999077|22.3193|114.1694
        TW|臺北|臺北市|100|25.0330|121.5654
        """),
    ),
    Locale(
        "ja",
        "japanese",
        4,
        _words("さくら:sakura,健太:kenta,陽子:yoko,翔:sho,美咲:misaki"),
        _words("佐藤:sato,鈴木:suzuki,高橋:takahashi,渡邉:watanabe"),
        _words("富士:fuji,サクラ:sakura,みどり:midori,東海:tokai"),
        _texts("株式会社,合同会社,商店"),
        _texts("渋谷,銀座,梅田"),
        _places("""
        JP|東京|東京都|150-0002|35.6762|139.6503
        JP|大阪|大阪府|530-0001|34.6937|135.5023
        """),
    ),
    Locale(
        "ko",
        "",
        2,
        _words("민준:minjun,서연:seoyeon,지우:jiwoo,하은:haeun"),
        _words("김:kim,이:lee,박:park,최:choi"),
        _words("한강:hangang,바다:bada,별빛:byeolbit"),
        _texts("주식회사,상사"),
        _texts("테헤란로,세종대로"),
        _places("KR|서울|서울특별시|06164|37.5665|126.9780"),
    ),
    Locale(
        "hi",
        "",
        5,
        _words("आरव:aarav,अनन्या:ananya,Rohan,Meera,विजय:vijay,Lakshmi"),
        _words("शर्मा:sharma,Iyer,पटेल:patel,Chowdhury,Reddy"),
        _words("कमल:kamal,Himalaya,गंगा:ganga,Spice Route,Monsoon"),
        _texts("Pvt Ltd,प्राइवेट लिमिटेड,& Bros,Industries 🌶️"),
        _texts("MG Road,नेहरू मार्ग,Linking Road"),
        _places("""
        IN|मुंबई|महाराष्ट्र|400001|19.0760|72.8777
        IN|Bengaluru|Karnataka|560001|12.9716|77.5946
        """),
    ),
    Locale(
        "tr",
        "turkish",
        4,
        _words("İbrahim:ibrahim,Çağla:cagla,Işıl:isil,Ömer,Gülşen:gulsen,Şükrü:sukru"),
        _words("Yılmaz:yilmaz,Şahin:sahin,Öztürk,Çelik:celik,Güneş:gunes"),
        _words("Boğaziçi:bogazici,Işık:isik,Yıldız:yildiz,Çınar:cinar"),
        _texts("A.Ş.,Ltd. Şti."),
        _texts("İstiklal Caddesi,Bağdat Caddesi,Atatürk Bulvarı"),
        _places("TR|İstanbul|İstanbul|34430|41.0082|28.9784"),
    ),
    Locale(
        "pl",
        "polish",
        4,
        _words("Łukasz:lukasz,Żaneta:zaneta,Bożena:bozena,Stanisław:stanislaw,Małgorzata:malgorzata"),
        _words("Wójcik,Dąbrowska:dabrowska,Żak:zak,Świątek:swiatek,Kaźmierczak:kazmierczak"),
        _words("Łódź:lodz,Źródło:zrodlo,Wisła:wisla,Jaźń:jazn"),
        _texts("Sp. z o.o.,S.A.,s.c."),
        _texts("ul. Świętokrzyska,ul. Długa,al. Jerozolimskie"),
        _places("""
        PL|Kraków|małopolskie|31-001|50.0647|19.9450
        PL|Łódź|łódzkie|90-001|51.7592|19.4560
        """),
    ),
    Locale(
        "he",
        "",
        2,
        _words("נועה:noa,דוד:david,תמר:tamar,איתי:itai"),
        _words("כהן:cohen,לוי:levi,פרץ:peretz"),
        _words("כרמל:carmel,ירדן:yarden"),
        _texts('בע"מ'),
        _texts("רחוב הרצל,שדרות רוטשילד"),
        _places("IL|תל אביב|מחוז תל אביב|6688312|32.0853|34.7818"),
    ),
    Locale(
        "th",
        "",
        2,
        _words("สมชาย:somchai,ณัฐ:nat,มาลี:malee"),
        _words("สุขใจ:sukjai,ทองดี:thongdee"),
        _words("ช้างขาว:changkhao,ริมน้ำ:rimnam"),
        _texts("จำกัด,มหาชน 🐘"),
        _texts("ถนนสุขุมวิท,ถนนสีลม"),
        _places("TH|กรุงเทพมหานคร|กรุงเทพมหานคร|10110|13.7563|100.5018"),
    ),
    Locale(
        "vi",
        "vietnamese",
        3,
        _words("Nguyệt,Đức:duc,Thảo,Hữu Phước"),
        _words("Nguyễn,Trần,Lê,Phạm"),
        _words("Sông Hồng,Hoa Sen,Đại Việt:daiviet"),
        _texts("TNHH,JSC"),
        _texts("Đường Lê Lợi,Phố Huế"),
        _places("VN|Hà Nội|Hà Nội|100000|21.0278|105.8342"),
    ),
)
