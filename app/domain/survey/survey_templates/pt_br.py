from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

BRAZILIAN = LanguageTexts(
    labels={
        "nps": ("Nada provável", "Extremamente provável"),
        "csat": ("Muito insatisfeito", "Muito satisfeito"),
        "ces": ("Discordo totalmente", "Concordo totalmente"),
        "stars": ("Ruim", "Excelente"),
    },
    thank_you=Bands(
        "Obrigado! É muito bom saber que estamos acertando.",
        "Obrigado! Lemos todas as respostas, e a sua nos ajuda a melhorar.",
        "Obrigado pela sinceridade. Lamentamos ter decepcionado você e vamos cuidar disso.",
    ),
    choices={
        "areas": Choice(
            "O que mais pesou na sua nota?",
            {
                "product": "O produto em si",
                "price": "O preço",
                "ordering": "A compra e o pagamento",
                "delivery": "A entrega",
                "service": "As pessoas que me atenderam",
                "other": "Outra coisa",
            },
        ),
        "solved": Choice(
            "Sua dúvida foi resolvida?",
            {"yes": "Sim, totalmente", "partly": "Em parte", "no": "Não"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "Qual é a probabilidade de você recomendar {brand|nossa empresa} a um amigo ou colega?",
            Bands(
                "Do que você mais gosta na gente?",
                "O que precisaríamos melhorar para merecer um 10?",
                "O que deu errado e o que deveríamos mudar primeiro?",
            ),
        ),
        "after_purchase": Wording(
            "Pensando no seu último pedido, qual é a probabilidade de você nos recomendar a um amigo?",
            Bands(
                "Do que você gostou no seu pedido?",
                "O que poderia ter sido melhor no seu pedido?",
                "O que deu errado com o seu pedido?",
            ),
        ),
        "after_support": Wording(
            "Como você avalia a ajuda que recebeu de {brand|nossa equipe}?",
            Bands(
                "O que fizemos bem?",
                "O que teria tornado essa experiência boa?",
                "O que deveríamos ter feito de outro jeito?",
            ),
        ),
        "onboarding": Wording(
            "Depois das suas primeiras semanas com {brand|a gente}, qual é a probabilidade de você nos recomendar?",
            Bands(
                "O que mais ajudou você a começar?",
                "O que teria facilitado o começo?",
                "Em que ponto você travou?",
            ),
        ),
        "csat": Wording(
            "No geral, qual é o seu nível de satisfação com {brand|nossa empresa}?",
            Bands(
                "O que mais deixa você satisfeito?",
                "O que falta para você ficar satisfeito?",
                "O que deixa você insatisfeito?",
            ),
        ),
        "ces": Wording(
            "{brand|A empresa} facilitou que eu fizesse o que precisava.",
            Bands(
                "O que facilitou?",
                "O que poderia ter sido mais fácil?",
                "O que dificultou?",
            ),
        ),
        "five_stars": Wording(
            "Como você avalia sua experiência com {brand|a gente}?",
            Bands(
                "O que foi tão bom?",
                "O que faltou para as cinco estrelas?",
                "O que deveríamos melhorar?",
            ),
        ),
        "thumbs": Wording(
            "Isso foi útil?",
            Bands(
                "O que ajudou você?",
                "Do que você sentiu falta?",
                "O que você estava procurando?",
            ),
        ),
        "employee_nps": Wording(
            "Qual é a probabilidade de você recomendar {brand|nossa empresa} como um lugar para trabalhar?",
            Bands(
                "O que você mais valoriza em trabalhar aqui?",
                "O que faria você nos recomendar como um lugar para trabalhar?",
                "O que precisaria mudar para você gostar de trabalhar aqui?",
            ),
            Bands(
                "Obrigado! Sua resposta ajuda a preservar o que funciona.",
                "Obrigado! Sua resposta ajuda a fazer daqui um lugar melhor para trabalhar.",
                "Obrigado pela franqueza. É com respostas como a sua que as mudanças começam.",
            ),
        ),
        "wow": Wording(
            "Qual é a probabilidade de você recomendar {brand|nossa empresa} a um amigo ou colega?",
            Bands(
                "Qual foi a última vez que deixamos você de queixo caído, e com o quê?",
                "O que poderíamos fazer para deixar você de queixo caído?",
                "Além dos pequenos consertos, o que reconquistaria você?",
            ),
        ),
    },
)
