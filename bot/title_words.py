"""The words by which a job title is read, in English, German, French and Spanish.

Each entry is a regular expression over a title in small letters without accents; in it _ stands for a space.
"""

from __future__ import annotations

ASSISTANT = r"""
\bassistant(?:e|s)?\b(?!_(?:vice|director|manager|controller|general|head|professor|treasurer|vp))
assistent(?:in)?\b assistenz\b \basistente\b \bauxiliar\b \bsecretaries\b \brecep[ct]ionist\w*
(?<!company_)(?<!general_)\bsecretar(?:y|ia|io)\b(?!_general) \bsecretaire\b(?!_general)
(?<!staats)(?<!general)sekretar(?:in)?\b \bintern\b \binterns?hip\b \btrainee\b \bapprenti\w* \bstagiaire\b
\balternant\w* praktikant\w* werkstudent\w* \bstudent\w* auszubildend\w* \bazubi\b \bbecari[oa]\b
volontar\w* \bpracticante\b empfangs?(?:mitarbeit\w+|dame)?\b \breceptionniste\b \bhotesse\b
"""
CHIEF = r"""
\bchief_(?:[\w&]+_){1,5}officer\b (?<!deputy_)\bc[efimt]o\b (?<!deputy_)\bciso\b
"""
VP = r"""
\b[seag]?vp\b \bvice_?president\w* \bvizeprasident\w*
"""
DEPUTY = r"""
\bsub_?director\w* \badjoint\w*_(?:au|a_la|du|de)\b \bdeputy_(?:director|c\w{1,2}o)\b
\bdirect\w+_general\w*_adj\w+
"""
EXECUTIVE = r"""
\bchief_(?:[\w&]+_){1,5}officer\b \bchief_executive\b \bc[adefhimoprst]o\b \bc[cl]o\b \bciso\b \bchro\b
\bpresident[ea]?s?\b \bprasident\w* \bpdg\b \bchair(?:man|woman|person)?\b \bboard_(?:member|director)\b
\bmember_of_the_board\b founder\b \bfondat(?:eur|rice) \bfundador\w* grunder(?:in)?\b
(?<!product_)(?<!process_)(?<!service_)(?<!data_)(?<!system_)\bowner\b \bpropriet\w+ \bpropietari\w+
\binhaber\w* gesellschafter\w* \bmanaging_(?:director|partner)\b \bgeneral_manager\b \bcountry_manager\b
\bdirect(?:eur|rice)_general\w* \bdirector[a]?_(?:general|gerente)\b \bdirector_ejecutiv \bgerente_general\b
\bgeranto?e?\b \bconsejer[oa]_delegad[oa]\b geschaftsfuhr\w* \bgeschaftsleit\w* vorstand\w* aufsichtsrat\w*
\bverwaltungsrat\w* ^(?:senior_|equity_|founding_|general_)?partner\b \bsoci[oa]\b \bassocie[e]?\b \bmayor\b
\bmaire\b burgermeister\w* \balcalde(?:sa)?\b
"""
TEAM_LEAD = r"""
(?:team|gruppen|abteilungs|projekt|schicht|bau|filial|referats|sachgebiets|programm|markt)leit(?:er|erin|ung)\b
"""
DIRECTOR = r"""
leit(?:er|erin|ung)\b
\bdirect(?:or|ora|eur|rice|ress)\b direktor(?:in)?\b \bhead\b \bdean\b
\bprokurist\w* \bgeneral_counsel\b \b(?:company|general)_secretary\b \bsecret\w+_general\w*
\bchief_of_staff\b \btreasurer\b \bdsi\b \bdrh\b \bdaf\b
"""
MANAGER = r"""
manager(?:in)?\b \bmgr\b \blead\b \bleader\b \bresponsable\b \bchef(?:fe|in)?\b \bjef[ea]\b \bgerente\b
\bencargad[oa]\b \bsupervisor\w* \bsuperviseur\b \bsuperintendent\b
\b(?:financial|group|corporate|plant)_controller\b \bconducteur_de_travaux\b \bforeman\b \brssi\b
\w{3}meister(?:in)?\b \bchief\b \bcoordinateur_general\b \bprincipal$
"""

SAYS = {
    "sales": (
        r"""
        \bsales_(?:operation|development)\w* \brevenue_operation\w* \bbusiness_development\b
        \b(?:key_)?account_executive\b \baccount_manag\w* \bkey_account\w*
        \bcustomer_(?:success|service|support|care|experience)\b \bingenie\w+_com+ercial\w*
        \btechnico_commercial\w* \bcharge\w*_d_affaires\b \brelation_client\w*
        \b(?:gest\w+|ejecutiv\w+)_de_cuentas\b \bgrands_comptes\b \bgrandes_cuentas\b
        \bdevelop\w+_commercial\b \bdesarrollo_de_negocio\w*
        """,
        r"""
        \bsales\b \bcro\b \brevenue\b vertrieb verkauf verkaeuf aussendienst innendienst kunden \bcommercial
        \bcomercial \bventes?\b \bventas?\b \bvendeu\w+ \bpartnerships?\b \balliances\b
        """,
        r"""
        \bcustomers?\b \bclients?\w* \baccounts?\b
        """,
    ),
    "marketing": (
        r"""
        \bproduct_marketing\b \bmarketing_prod\w+ \bpublic_relations\b
        """,
        r"""
        marketing \bbrand\b \bcommunications?\b kommunikation \bcomunicacion \bgrowth\b \bcmo\b \bwerbung\b
        offentlichkeitsarbeit \bpresse\w* \bprensa\b
        """,
        r"""
        \bpr\b \bcontent\b \bcampaign\w* \bevents?\b
        """,
    ),
    "finance": (
        r"""
        \baccounts_(?:payable|receivable)\b \bcontrole\w*_de_gestion\b \bcontrol_de_gestion\b
        \badministrati\w+_(?:et|y|and)_financ\w+
        """,
        r"""
        financ finanz \baccount(?:ing|ant|ancy)\w* \btreasur \btresor \btesor controller controlling
        buchhalt rechnungswesen comptab \bcontab \bpayroll\b \bfp_?&_?a\b \baudit \bcfo\b \bdaf\b steuerber
        \btax\b kaufmannisch \bkfm\b \bbilling\b \bnomina\b \bpaie\b
        """,
        r"""
        \badministracion$ \bcontroller\b \bsteuer\w* \binvest\w*
        """,
    ),
    "procurement": (
        r"""
        \bvendor_manag\w* \bsupplier\w* \bstrategic_sourcing\b \bcategory_manag\w*
        """,
        r"""
        procurement \bpurchas \bsourcing\b \bbuyer\b einkauf einkaeuf beschaff \bachats?\b \bacheteu
        \bcompras?\b \bcomprador \baprovisionamiento\w* \bapprovisionnement\w*
        """,
        r"""
        \bcontratacion\b
        """,
    ),
    "operations": (
        r"""
        \bsupply_chain\b \bbusiness_analyst\w* \boffice_manager\w* \bfacilit(?:y|ies)\b
        \bconducteur_de_travaux\b
        """,
        r"""
        logisti \bproduction\b \bproduktion \bproduccion\b \bplant\b \busine\b \bwerk(?:s|e)?(?:leit\w*)?\b
        \bwarehouse\b \blager \balmacen \bmaintenance\b instandhalt \bmantenimiento\b \bqualit \bcalidad\b
        \bcoo\b \bdisponent \bsuperintendent\b \bplanner\b \bmanufacturing\b \bfertigung \bbau \bfabrik
        """,
        r"""
        \boperati(?:ng|on) \boperacion \bexploitation\b \boperativ \bbetrieb \bprocess \bprozess \bsite\b
        \bbusiness\b \btransport
        \bfleet\b
        """,
    ),
    "legal": (
        r"""
        \blegal_secretar\w* \bcompany_secretary\b \bgeneral_counsel\b \bdata_(?:protection|privacy)\b
        \bproteccion_de_datos\b \bprotection_des_donnees\b
        """,
        r"""
        \blegal\b \bcounsel\b \blawyer\b \battorney\b \bparalegal\b \bcontracts?\b \bcompliance\b
        datenschutz \bprivacy\b \bjuris \bjuridi \bjustiziar syndikus \brecht \babogad \bavocat \bnotar
        """,
        r"""
        \brisk\b \bregulatory\b \bgovernance\b
        """,
    ),
    "people": (
        r"""
        \bhuman_resources\b \brecursos_humanos\b \bressources_humaines\b \bhr_business_partner\b
        """,
        r"""
        \bhr\b \brh\b \brrhh\b \bdrh\b \bchro\b \bpeople\b personal(?!ised|_assistant) \btalent \brecrui?t
        \bhiring\b
        \bselection\b
        """,
        r"""
        \btraining\b \bformation\b \bformacion\b
        """,
    ),
    "security": (
        r"""
        \b(?:information|it|cyber|network|cloud|application)_security\b informationssicherheit\w*
        \bit_sicherheit\w* \bsecurity_operation\w* \bsecurite_(?:des_)?(?:informatique|systeme)\w*
        \bseguridad_(?:informatica|de_la_informacion)\b
        """,
        r"""
        \bsecurity\b \bciso\b \bcyber \bciber (?<!arbeits)sicherheit \bsecurite\b \bseguridad\b \brssi\b
        \bsoc\b
        """,
        r"""
        \bpenetration\b
        """,
    ),
    "data": (
        r"""
        \bbusiness_intelligence\b \bmachine_learning\b \bdata_(?:engineer|scien|analy|architect|manage)\w*
        \bdatabase_admin\w* \bchief_data\b \bcientific\w+_de_datos\b
        """,
        r"""
        \bdata\b \banalytics\b \bdaten(?!schutz) \bdatos\b \bdonnees\b \bdatabase\b \bbi\b
        """,
        r"""
        \bai\b \bstatisti\w*
        """,
    ),
    "it": (
        r"""
        \binformation_technology\b \bdesktop_support\b \binformationstechn\w* \bsystemes?_d_information\w*
        \bapplication_support\b \b(?:systems?|network)_admin\w*
        \badministrat\w+_(?:de_)?(?:systeme|reseau|red|sistema)\w* \btransformation_(?:numerique|digitale)\b
        \bdigital_transformation\b \bsupport_informatique\b \btecnico_de_sistemas\b
        """,
        r"""
        \bit\b \binformati[kqc] \bit\w*leiter \binfrastructure\b \bsystemadmin \bnetwork \bhelp_?desk\b
        \bcio\b \bti\b \bsi\b \bdsi\b \bsistemas\b \breseaux?\b \bredes\b \berp\b \bsap\b \bdigitalisierung
        \bnumerique\b \bedv\b \bcloud\b
        """,
        r"""
        \bdigital \bapplications?\b \banwendung \bsystem\w*
        """,
    ),
    "engineering": (
        r"""
        \bsales_engineer\w* \bpre_?sales\b \bsolutions?_(?:engineer|architect|consultant)\w*
        \bquality_assurance_engineer\w* \bqa_engineer\w* \bforschung\b \br_?&_?d\b \bi_?\+_?d\b
        \bsoftware\w*
        """,
        r"""
        \bengineer \bdevelop(?:er|ers|ment)\b entwickl ingenieur ingenier \bdesarrollador \bdeveloppeu
        \barchitect \barchitekt \bscrum\b \bagile\b \btechnology\b \btecnologi \bcto\b \bresearch
        \bscientist\b \bdevops\b
        konstrukt \bdipl_ing\b \bprogram+(?:er|ierer|eur|ador)\w*
        """,
        r"""
        \btechni \btecnic elektr \bmechani \btechnik \betudes\b \bproject_engineer\b
        """,
    ),
    "product": (
        r"""
        \bproduct_(?:owner|manag|design)\w* \bchef_de_produit\b \bjefe_de_producto\b \bproduktmanag\w*
        """,
        r"""
        \bproducts?\b \bprodukt(?!ion) \bproduits?\b \bproductos?\b \bux\b \bui\b \bcpo\b
        """,
        r"""
        \bdesign\w*
        """,
    ),
    "management": (
        r"""
        \bgeneral_manage\w* \bconsejo_de_administracion\b \bconseil_d_administration\b
        """,
        r"""
        \bgeschaftsleit \bgeschaftsf
        """,
        r"""
        \bpresident\b
        """,
    ),
    "other": (
        r"""
        \bnurs(?:e|ing)\w* \bprofess?or\w* \bteacher\b lehrer(?:in)?\b \bphysician\b \bmedecin\b
        \bmedic[oa]\b arzt\b \binfirmi\w+ \benfermer\w+ \bdozent\w* \bpharmaci\w+ \bpastor\b
        """,
        r"""
        \breception\w* \bempfang\w*
        """,
        r"""
        \bconsultant\b
        """,
    ),
}
"""What tells each function: phrases that settle it, plain words, and words that tell little."""
ROMANCE = r"""
\b(?:de|du|d|del|la|le|l|et|y|directeur|directrice|director[a]?_\w+(?:er[oa]|al)|responsable|chef|jef[ea]|gerente|charge[e]?|ingenieure?|ingenier[oa]|acheteu\w+|tecnic[oa]|technicien\w*|analista)\b
"""
"""What shows that a title is French or Spanish."""
